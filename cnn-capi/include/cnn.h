/*
 * cnn: convolutional neural networks, compiled. The C interface; docs/c.md shows it line by line.
 *
 * Every function may be called from any thread. Those that can fail give a status; cnn_error_text says in words why the
 * last call of this thread failed. No function aborts: a null pointer, a buffer that is too short or a network that was
 * closed is an error like any other.
 *
 * Made by cbindgen of the crate cnn-capi; do not edit.
 */

#ifndef CNN_H
#define CNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a call ended.
typedef enum cnn_status {
  // As it should.
  CNN_STATUS_OK = 0,
  // The model is wrong, or an ONNX file has what cannot be imported.
  CNN_STATUS_MODEL = 1,
  // Tensors are missing, of another shape, or their file is damaged.
  CNN_STATUS_WEIGHTS = 2,
  // An array does not fit: a length, an alignment, memory that two arrays share.
  CNN_STATUS_INPUT = 3,
  // A file cannot be read, or is not what it should be.
  CNN_STATUS_FILE = 4,
  // The network needs more memory than it may take.
  CNN_STATUS_MEMORY = 5,
  // An argument has no meaning: an option, an index, a null pointer, text that is not UTF-8.
  CNN_STATUS_ARGUMENT = 6,
  // A valid network is beyond what the machine can do.
  CNN_STATUS_LIMIT = 7,
  // A fault of this library; please report it.
  CNN_STATUS_INTERNAL = 8,
  // The network was closed, or never loaded.
  CNN_STATUS_CLOSED = 9,
} cnn_status;

// How a network is to be compiled. All zeros is right for most.
typedef struct cnn_options {
  // A .safetensors file, or "random" for made-up numbers; null: the model's own.
  const char *weights;
  // Threads that share a run; 0: all cores.
  size_t threads;
  // The only batch it shall take; 0: any, compiled anew for each, the last four of which are kept.
  size_t batch;
  // Bytes that the network may take; 0: what the machine has.
  uint64_t max_memory;
  // Use no algorithm that rounds more than multiplying and adding does.
  bool exact;
  // Use only instructions that every machine of this kind has.
  bool portable;
} cnn_options;

// An array that a network takes or gives: f32, row-major. The pointers are valid until the network is closed.
typedef struct cnn_array_info {
  // Its name.
  const char *name;
  // Its axes.
  size_t rank;
  // Its shape for the first batch.
  const size_t *shape;
  // Elements for the first batch: the product of the shape.
  size_t elements;
  // Whether axis 0 is the batch and may have any size.
  bool any_batch;
} cnn_array_info;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The text of the last error of this thread, empty if there was none. It stays valid until this thread's next call that
// fails.
const char *cnn_error_text(void);

// The library's version, such as "0.1.0".
const char *cnn_version(void);

// Loads a network: the path of a .toml, .onnx or compiled .cnnc file (which is trusted code, as a library is), or the name
// of a built-in model. `options` may be null. Writes the network's handle, 0 if it cannot be loaded.
//
// # Safety
// `model` is null or a text that ends with a zero; `options` is null or points to options; `network` is null or points to
// a handle.
enum cnn_status cnn_load(const char *model,
                         const struct cnn_options *options,
                         uint64_t *network);

// Closes a network. A run that is under way ends first; the handle is an error from now on.
enum cnn_status cnn_close(uint64_t network);

// How many arrays a network takes; 0 if it was closed.
size_t cnn_input_count(uint64_t network);

// How many arrays a network gives; 0 if it was closed.
size_t cnn_output_count(uint64_t network);

// The batch that a network was compiled for first; 0 if it was closed.
size_t cnn_first_batch(uint64_t network);

// What a network's input of that index is.
//
// # Safety
// `info` is null or points to an array's description.
enum cnn_status cnn_input(uint64_t network, size_t index, struct cnn_array_info *info);

// What a network's output of that index is.
//
// # Safety
// `info` is null or points to an array's description.
enum cnn_status cnn_output(uint64_t network, size_t index, struct cnn_array_info *info);

// Runs a network on so many images: an array for each input, and room for each output, each with its number of
// elements; in the order of cnn_input and cnn_output. Arrays must not share memory with an output.
//
// # Safety
// Each of the four pointers is null or points to as many elements as the network has inputs or outputs; each array is
// null or has as many f32 as the length beside it says, which nobody writes (inputs) or uses (outputs) meanwhile.
enum cnn_status cnn_run(uint64_t network,
                        size_t batch,
                        const float *const *inputs,
                        const size_t *input_elements,
                        float *const *outputs,
                        const size_t *output_elements);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CNN_H */
