// Runs one network from several C++ threads at once: a class that closes it, exceptions with the library's words.

#include <cnn.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

class Network {
  public:
    explicit Network(const std::string &model, std::size_t threads = 0) {
        cnn_options options{};
        options.threads = threads;
        check(cnn_load(model.c_str(), &options, &handle));
    }
    ~Network() { cnn_close(handle); }
    Network(const Network &) = delete;
    Network &operator=(const Network &) = delete;

    // One input, one output: what most networks have.
    std::vector<float> operator()(const std::vector<float> &input, std::size_t batch = 1) const {
        cnn_array_info info;
        check(cnn_output(handle, 0, &info));
        std::vector<float> output(info.elements / cnn_first_batch(handle) * batch);
        const float *inputs[] = {input.data()};
        float *outputs[] = {output.data()};
        const std::size_t in = input.size(), out = output.size();
        check(cnn_run(handle, batch, inputs, &in, outputs, &out));
        return output;
    }

    static void check(cnn_status status) {
        if (status != CNN_STATUS_OK) throw std::runtime_error(cnn_error_text());
    }

  private:
    std::uint64_t handle = 0;
};

int main() {
    const Network network("lenet5", 1);
    const std::vector<float> image(32 * 32, 0.5f);
    const std::vector<float> expected = network(image);

    std::vector<int> same(8);
    std::vector<std::thread> threads;
    for (auto &each : same)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; i++) each += network(image) == expected;
        });
    for (auto &thread : threads) thread.join();
    const bool all = std::all_of(same.begin(), same.end(), [](int count) { return count == 50; });
    std::printf("8 threads: %s\n", all ? "the same bits" : "other bits");

    try {
        network(std::vector<float>(7));
    } catch (const std::runtime_error &error) {
        std::printf("seven numbers: %s\n", error.what());
    }
    try {
        const Network missing("no/such/model.onnx");
    } catch (const std::runtime_error &error) {
        std::printf("no such file: %s\n", error.what());
    }
    return all ? 0 : 1;
}
