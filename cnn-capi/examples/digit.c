/* Runs a network from C: describes its arrays, feeds it a picture of zeros, prints the likeliest class. */

#include <cnn.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with the library's words. */
static void check(cnn_status status, const char *what) {
    if (status != CNN_STATUS_OK) {
        fprintf(stderr, "%s: %s\n", what, cnn_error_text());
        exit(1);
    }
}

int main(int count, char **arguments) {
    const char *model = count > 1 ? arguments[1] : "lenet5";
    cnn_options options = {0};
    options.threads = 2;

    uint64_t network;
    check(cnn_load(model, &options, &network), model);

    cnn_array_info input, output;
    check(cnn_input(network, 0, &input), "input");
    check(cnn_output(network, 0, &output), "output");
    printf("cnn %s: %s takes %zu numbers (%s) and gives %zu (%s)\n", cnn_version(), model, input.elements, input.name,
           output.elements, output.name);

    float *from = calloc(input.elements, sizeof *from);
    float *to = calloc(output.elements, sizeof *to);
    if (!from || !to) return 1;
    const float *inputs[] = {from};
    float *outputs[] = {to};
    check(cnn_run(network, cnn_first_batch(network), inputs, &input.elements, outputs, &output.elements), "run");

    size_t best = 0;
    for (size_t i = 1; i < output.elements; i++)
        if (to[i] > to[best]) best = i;
    printf("class %zu: %.4f\n", best, to[best]);

    /* What goes wrong is a status and a text, never an abort. */
    size_t less = output.elements - 1;
    if (cnn_run(network, 1, inputs, &input.elements, outputs, &less) == CNN_STATUS_INPUT)
        printf("a short buffer: %s\n", cnn_error_text());
    free(from);
    free(to);
    check(cnn_close(network), "close");
    if (cnn_run(network, 1, inputs, &input.elements, outputs, &less) == CNN_STATUS_CLOSED)
        printf("after closing: %s\n", cnn_error_text());
    return 0;
}
