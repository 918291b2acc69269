// SPDX-License-Identifier: Apache-2.0
// Static int8 layers on oneDNN: see onednn_int8.h.
#include "tools/octavo/onednn_int8.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "jit/aligned_bytes.h"
#include "octavo/error.h"
#include "runtime/parallel.h"

namespace octavo::tool {
namespace {

using Clock = std::chrono::steady_clock;
using dnnl::memory;
using Type = memory::data_type;

double milliseconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// oneDNN's memory, in pages as large as octavo's own, so that neither side waits for more page tables than the other.
struct Buffer {
  Buffer(const memory::desc& desc, const dnnl::engine& engine)
      : bytes(std::max<std::size_t>(desc.get_size(), 1)), view(desc, engine, bytes.data()) {}
  jit::AlignedBytes bytes;
  memory view;
};

/// Values from 0 to 7, the same ones again and again.
void fill(jit::AlignedBytes& bytes) {
  std::minstd_rand random(1);
  constexpr std::size_t period = 65521;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes.data()[i] = i < period ? static_cast<std::byte>(random() >> 8U & 7U) : bytes.data()[i - period];
}

memory::dims spatial(std::int64_t height, std::int64_t width) { return {height, width}; }

/// What the layer is to oneDNN, whichever of its algorithms computes it.
struct Request {
  const LayerWork& work;
  bool linear;
  Type source, destination;
  memory::dims source_dims, weight_dims, destination_dims;

  Request(const LayerWork& layer, bool is_linear)
      : work(layer),
        linear(is_linear),
        source(layer.nonnegative_input ? Type::u8 : Type::s8),
        destination(layer.relu ? Type::u8 : Type::s8) {
    if (linear) {
      source_dims = {work.images, work.in_channels};
      weight_dims = {work.out_channels, work.in_channels};
      destination_dims = {work.images, work.out_channels};
      return;
    }
    source_dims = {work.images, work.in_channels, work.in_h, work.in_w};
    destination_dims = {work.images, work.out_channels, work.out_h, work.out_w};
    weight_dims = {work.out_channels / work.groups, work.in_channels / work.groups, work.kernel_h, work.kernel_w};
    if (work.groups > 1) {
      weight_dims.insert(weight_dims.begin(), work.groups);
    }
  }
  [[nodiscard]] memory::desc any(const memory::dims& dims, Type type) const {
    return {dims, type, memory::format_tag::any};
  }
  [[nodiscard]] memory::desc bias() const { return work.bias ? any({work.out_channels}, Type::f32) : memory::desc(); }
  [[nodiscard]] memory::desc plain_weights() const {
    using Tag = memory::format_tag;
    const Tag tag = linear ? Tag::ab : work.groups > 1 ? Tag::abcde : Tag::abcd;
    return {weight_dims, Type::s8, tag};
  }
  /// Scales given beforehand, one for each output channel.
  [[nodiscard]] dnnl::primitive_attr attributes() const {
    constexpr int each_output_channel = 1 << 1;
    dnnl::primitive_attr attributes;
    std::vector<float> scales(static_cast<std::size_t>(work.out_channels));
    std::iota(scales.begin(), scales.end(), 1.0F);
    for (float& scale : scales) scale = 0.01F + 1e-6F * scale;
    attributes.set_output_scales(each_output_channel, scales);
    dnnl::post_ops operations;
    if (work.residual) operations.append_sum(1.0F);
    if (work.relu) operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(operations);
    return attributes;
  }
};

/// A primitive with all that it reads and writes.
struct Call {
  std::string implementation;
  dnnl::primitive primitive;
  std::vector<Buffer> buffers;  ///< source first
  std::unordered_map<int, memory> arguments;

  template <class Forward>
  static Call make(const typename Forward::primitive_desc& chosen, const Request& request, const dnnl::engine& engine,
                   dnnl::stream& stream) {
    Call call{chosen.impl_info_str(), Forward(chosen), {}, {}};
    call.buffers.reserve(4);
    const auto add = [&](int argument, const memory::desc& desc) -> Buffer& {
      Buffer& buffer = call.buffers.emplace_back(desc, engine);
      call.arguments.emplace(argument, buffer.view);
      return buffer;
    };
    fill(add(DNNL_ARG_SRC, chosen.src_desc()).bytes);
    std::memset(add(DNNL_ARG_DST, chosen.dst_desc()).bytes.data(), 0, chosen.dst_desc().get_size());
    if (request.work.bias)
      std::memset(add(DNNL_ARG_BIAS, chosen.bias_desc()).bytes.data(), 0, chosen.bias_desc().get_size());
    Buffer plain(request.plain_weights(), engine);
    fill(plain.bytes);
    Buffer& packed = add(DNNL_ARG_WEIGHTS, chosen.weights_desc());
    dnnl::reorder(plain.view, packed.view).execute(stream, plain.view, packed.view);
    stream.wait();
    return call;
  }

  void run(dnnl::stream& stream) {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

/// Adds a call for each implementation of the operation that oneDNN offers; not its reference code, which nobody would
/// choose.
template <class Forward>
void add_offers(std::vector<Call>& calls, const typename Forward::desc& desc, const Request& request,
                const dnnl::engine& engine, dnnl::stream& stream) {
  // An operation that oneDNN cannot do at all leaves an empty description.
  typename Forward::primitive_desc offer(desc, request.attributes(), engine, true);
  if (!offer) return;
  do {
    const std::string_view name = offer.impl_info_str();
    if (name.find("ref") == std::string_view::npos) {
      calls.push_back(Call::make<Forward>(offer, request, engine, stream));
    }
  } while (offer.next_impl());
}

std::vector<Call> offers(const Request& request, const dnnl::engine& engine, dnnl::stream& stream) {
  const LayerWork& work = request.work;
  const memory::desc source = request.any(request.source_dims, request.source);
  const memory::desc weights = request.any(request.weight_dims, Type::s8);
  const memory::desc destination = request.any(request.destination_dims, request.destination);
  const dnnl::prop_kind inference = dnnl::prop_kind::forward_inference;
  std::vector<Call> calls;
  if (request.linear) {
    using Forward = dnnl::inner_product_forward;
    const auto desc = work.bias ? Forward::desc(inference, source, weights, request.bias(), destination)
                                : Forward::desc(inference, source, weights, destination);
    add_offers<Forward>(calls, desc, request, engine, stream);
    return calls;
  }
  using Forward = dnnl::convolution_forward;
  const auto end = [](std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t dilation,
                      std::int64_t stride,
                      std::int64_t begin) { return (out - 1) * stride + dilation * (kernel - 1) + 1 - in - begin; };
  const memory::dims pad_end =
      spatial(end(work.in_h, work.out_h, work.kernel_h, work.dilation_h, work.stride_h, work.pad_top),
              end(work.in_w, work.out_w, work.kernel_w, work.dilation_w, work.stride_w, work.pad_left));
  for (const auto algorithm : {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd}) {
    try {
      const Forward::desc desc(inference, algorithm, source, weights, request.bias(), destination,
                               spatial(work.stride_h, work.stride_w), spatial(work.dilation_h - 1, work.dilation_w - 1),
                               spatial(work.pad_top, work.pad_left), pad_end);
      add_offers<Forward>(calls, desc, request, engine, stream);
    } catch (const dnnl::error&) {  // Winograd of a shape that has none
      continue;
    }
  }
  return calls;
}

/// Processor time of all threads, which what else runs on the machine does not lengthen.
double processor_milliseconds_of(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

/// The one that takes least: the best of five runs each, in turn, after one that counts for nothing.
Call fastest(std::vector<Call> calls, dnnl::stream& stream) {
  if (calls.size() == 1) return std::move(calls.front());
  constexpr int rounds = 5;
  std::vector<double> least(calls.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const double spent = processor_milliseconds_of([&] { calls[i].run(stream); });
      if (round > 0) least[i] = std::min(least[i], spent);
    }
  }
  const auto best = std::min_element(least.begin(), least.end());
  return std::move(calls[static_cast<std::size_t>(best - least.begin())]);
}

/// Reads a byte of each cache line. The sum is returned so that the reads are not optimised away.
unsigned touch_lines(const jit::AlignedBytes& bytes, int threads) {
  constexpr std::size_t line = 64;
  std::vector<unsigned> sums(static_cast<std::size_t>(threads), 0U);
  const auto lines = static_cast<std::int64_t>((bytes.size() + line - 1) / line);
  runtime::parallel_for(threads, lines, 256, [&](int thread, std::int64_t begin, std::int64_t end) {
    unsigned sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      sum += std::to_integer<unsigned>(bytes.data()[static_cast<std::size_t>(i) * line]);
    }
    sums[static_cast<std::size_t>(thread)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0U);
}

}  // namespace

class OnednnInt8::Layer {
 public:
  explicit Layer(const LayerInfo& info) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const Request request(*info.work, info.type == "FusedLinear");
    std::vector<Call> calls = offers(request, engine_, stream_);
    if (calls.empty()) {
      throw Error(ErrorKind::unsupported, "oneDNN has no int8 form of this layer", "layer '" + info.name + "'",
                  "measure without --against onednn-int8, or keep the layer in fp32 with --keep-float");
    }
    call_ = fastest(std::move(calls), stream_);
  }

  double run(int threads) {
    [[maybe_unused]] const volatile unsigned sink = touch_lines(call_->buffers.front().bytes, threads);
    return milliseconds_of([&] { call_->run(stream_); });
  }
  [[nodiscard]] const std::string& implementation() const { return call_->implementation; }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::optional<Call> call_;
};

OnednnInt8::OnednnInt8(const std::vector<LayerInfo>& layers, int threads) : times_(layers.size()), threads_(threads) {
  const runtime::OmpThreads omp_threads(threads_);  // oneDNN divides its work when a primitive is created
  for (const LayerInfo& layer : layers) {
    layers_.push_back(layer.work ? std::make_unique<Layer>(layer) : nullptr);
  }
}

OnednnInt8::~OnednnInt8() = default;

void OnednnInt8::run() {
  const runtime::OmpThreads omp_threads(threads_);
  for (const auto& layer : layers_)
    if (layer) layer->run(threads_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (layers_[l]) times_[l].push_back(layers_[l]->run(threads_));
  }
}

std::string OnednnInt8::implementation(std::size_t layer) const {
  return layers_.at(layer) ? layers_[layer]->implementation() : std::string();
}

}  // namespace octavo::tool
