/* Everything that can be given wrongly to the C interface is a status: run under AddressSanitizer and valgrind. */

#include <cnn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

static void expect(cnn_status found, cnn_status expected, const char *words, int line) {
    const char *text = cnn_error_text();
    if (found != expected || !strstr(text, words)) {
        printf("line %d: status %d instead of %d, \"%s\" without \"%s\"\n", line, found, expected, text, words);
        failures++;
    }
}
#define EXPECT(call, status, words) expect(call, status, words, __LINE__)

int main(void) {
    uint64_t network = 7, other;
    cnn_array_info info;
    cnn_options options = {0};
    EXPECT(cnn_load(NULL, NULL, &network), CNN_STATUS_ARGUMENT, "`model` is a null pointer");
    EXPECT(cnn_load("lenet5", NULL, NULL), CNN_STATUS_ARGUMENT, "`network` is a null pointer");
    EXPECT(cnn_load("\xff\xfe", NULL, &network), CNN_STATUS_ARGUMENT, "UTF-8");
    EXPECT(cnn_load("lenet6", NULL, &network), CNN_STATUS_ARGUMENT, "did you mean `lenet5`?");
    EXPECT(cnn_load("no/such/model.onnx", NULL, &network), CNN_STATUS_FILE, "no/such/model.onnx");
    EXPECT(cnn_load("resnet18", NULL, &network), CNN_STATUS_ARGUMENT, "tensors of weights");
    options.weights = "no/such.safetensors";
    EXPECT(cnn_load("lenet5", &options, &network), CNN_STATUS_WEIGHTS, "no/such.safetensors");
    options.weights = NULL;
    options.max_memory = 1000;
    EXPECT(cnn_load("lenet5", &options, &network), CNN_STATUS_MEMORY, "1000 B");
    if (network != 0) failures++;
    options.max_memory = 0;
    options.threads = 2;
    options.batch = 2;
    EXPECT(cnn_load("lenet5", &options, &other), CNN_STATUS_OK, "");
    options.batch = 0;
    EXPECT(cnn_load("lenet5", &options, &network), CNN_STATUS_OK, "");

    EXPECT(cnn_input(network, 1, &info), CNN_STATUS_ARGUMENT, "none of index 1");
    EXPECT(cnn_output(network, 0, NULL), CNN_STATUS_ARGUMENT, "`info` is a null pointer");
    EXPECT(cnn_input(network, 0, &info), CNN_STATUS_OK, "");
    if (strcmp(info.name, "image") || info.rank != 4 || info.shape[3] != 32 || info.elements != 1024 || !info.any_batch)
        failures++;
    EXPECT(cnn_input(other, 0, &info), CNN_STATUS_OK, "");
    if (info.any_batch || info.shape[0] != 2) failures++;

    float *memory = calloc(4096, sizeof *memory);
    const float *from = memory, *none = NULL;
    float *to = memory + 2048, *nowhere = NULL, *over = memory + 1020;
    size_t in = 1024, out = 10, two = 2048, twenty = 20, huge = SIZE_MAX, little = 9;
    EXPECT(cnn_run(network, 1, &from, &in, &to, &out), CNN_STATUS_OK, "");
    EXPECT(cnn_run(network, 2, &from, &two, &to, &twenty), CNN_STATUS_OK, "");
    EXPECT(cnn_run(network, 0, &from, &in, &to, &out), CNN_STATUS_ARGUMENT, "`batch` is 0");
    EXPECT(cnn_run(other, 1, &from, &in, &to, &out), CNN_STATUS_ARGUMENT, "batch of 2");
    EXPECT(cnn_run(network, 1, NULL, &in, &to, &out), CNN_STATUS_ARGUMENT, "`inputs` is a null pointer");
    EXPECT(cnn_run(network, 1, &from, NULL, &to, &out), CNN_STATUS_ARGUMENT, "`input_elements` is a null");
    EXPECT(cnn_run(network, 1, &from, &in, NULL, &out), CNN_STATUS_ARGUMENT, "`outputs` is a null pointer");
    EXPECT(cnn_run(network, 1, &from, &in, &to, NULL), CNN_STATUS_ARGUMENT, "`output_elements` is a null");
    EXPECT(cnn_run(network, 1, &none, &in, &to, &out), CNN_STATUS_INPUT, "`image`: its array is a null pointer");
    EXPECT(cnn_run(network, 1, &from, &in, &nowhere, &out), CNN_STATUS_INPUT, "`probabilities`: its array is a null");
    EXPECT(cnn_run(network, 1, &from, &little, &to, &out), CNN_STATUS_INPUT, "expected 1024 elements");
    EXPECT(cnn_run(network, 1, &from, &in, &to, &little), CNN_STATUS_INPUT, "expected 10 elements");
    EXPECT(cnn_run(network, 1, &from, &huge, &to, &out), CNN_STATUS_INPUT, "expected 1024 elements");
    EXPECT(cnn_run(network, SIZE_MAX, &from, &in, &to, &out), CNN_STATUS_INPUT, "more elements than");
    EXPECT(cnn_run(network, 1, &from, &in, &over, &out), CNN_STATUS_INPUT, "another output's too");
    const float *odd = (const float *)((const char *)memory + 1);
    EXPECT(cnn_run(network, 1, &odd, &in, &to, &out), CNN_STATUS_INPUT, "not aligned");
    EXPECT(cnn_close(network), CNN_STATUS_OK, "");
    EXPECT(cnn_close(network), CNN_STATUS_CLOSED, "closed");
    EXPECT(cnn_close(0), CNN_STATUS_CLOSED, "closed");
    EXPECT(cnn_run(network, 1, &from, &in, &to, &out), CNN_STATUS_CLOSED, "closed");
    EXPECT(cnn_input(network, 0, &info), CNN_STATUS_CLOSED, "closed");
    if (cnn_input_count(network) || cnn_output_count(network) || cnn_first_batch(network)) failures++;
    EXPECT(cnn_close(other), CNN_STATUS_OK, "");
    free(memory);
    printf("%d failures\n", failures);
    return failures != 0;
}
