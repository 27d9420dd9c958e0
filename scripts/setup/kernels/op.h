// What the training kernels share: their inputs and outputs by TensorFlow's C interface, bfloat16, and threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

// Without the parts of kernels.h that need headers of C++.
#define IS_SLIM_BUILD
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// One function for each kind of vector unit; the loader takes the one that the processor has.
#if defined(__x86_64__) && defined(__GLIBC__)
#define DRIFTLOOP_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DRIFTLOOP_EACH_PROCESSOR
#endif

namespace driftloop {

struct Bf16 {
  uint16_t bits;
};

template <typename T>
constexpr TF_DataType type_of() {
  return sizeof(T) == sizeof(Bf16) ? TF_BFLOAT16 : TF_FLOAT;
}

inline float widen(float x) { return x; }
inline float widen(Bf16 x) { return __builtin_bit_cast(float, uint32_t{x.bits} << 16); }

inline void put(float* at, float value) { *at = value; }
/** Rounds to nearest, ties to even. */
inline void put(Bf16* at, float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  at->bits = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/**
 * e^x within 2e-7 of it, without a branch, so that loops over it become vectors. Past 60 it stays what it is there: in
 * softmax and sigmoid that is as good as the rest, and needs no denormal numbers.
 */
inline float exponential(float x) {
  const float above = x < -60.0f ? -60.0f : x;
  const float bounded = above > 60.0f ? 60.0f : above;
  // The conversion cuts towards zero: moved above it, that rounds.
  const int32_t whole = static_cast<int32_t>(bounded * 1.44269504f + 128.5f) - 128;
  const float rest = bounded - whole * 0.693359375f + whole * 2.12194440e-4f;
  float series = 1.9875691500e-4f;
  series = series * rest + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  return (series * rest * rest + rest + 1.0f) * __builtin_bit_cast(float, (whole + 127) << 23);
}

/** One call of an op. Frees what it took; reports the first thing that went wrong. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    if (!ok()) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  int inputs() const { return TF_NumInputs(context_); }

  TF_Tensor* tensor(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_);
    if (tensor != nullptr) tensors_.push_back(tensor);
    return tensor;
  }

  /** Of so many numbers, or a failure. */
  template <typename T>
  T* input(int index, int64_t count) {
    TF_Tensor* found = tensor(index);
    if (found == nullptr) return nullptr;
    if (TF_TensorElementCount(found) != count || TF_TensorType(found) != type_of<T>()) {
      TF_SetStatus(status_, TF_INVALID_ARGUMENT, "an input has another shape or dtype than expected");
      return nullptr;
    }
    return static_cast<T*>(TF_TensorData(found));
  }

  template <typename T>
  T* output(int index, const std::vector<int64_t>& shape) {
    int64_t count = 1;
    for (int64_t length : shape) count *= length;
    const int rank = static_cast<int>(shape.size());
    TF_Tensor* made =
        TF_AllocateOutput(context_, index, type_of<T>(), shape.data(), rank, count * sizeof(T), status_);
    if (made == nullptr) return nullptr;
    tensors_.push_back(made);
    return static_cast<T*>(TF_TensorData(made));
  }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

inline std::vector<int64_t> shape_of(const TF_Tensor* tensor) {
  std::vector<int64_t> shape;
  for (int axis = 0; axis < TF_NumDims(tensor); axis++) shape.push_back(TF_Dim(tensor, axis));
  return shape;
}

/** How many threads a piece of work is worth: one for each 64 thousand numbers, up to one for each core. */
inline int64_t threads_for(int64_t numbers) {
  const int64_t cores = std::thread::hardware_concurrency();
  const int64_t worth = numbers >> 16;
  return worth < 1 ? 1 : worth < cores ? worth : cores < 1 ? 1 : cores;
}

/** Calls work(part, from, to) for parts of the rows, each in its thread. */
template <typename Work>
void in_parts(int64_t rows, int64_t parts, const Work& work) {
  std::vector<std::thread> others;
  for (int64_t part = 1; part < parts; part++)
    others.emplace_back([&work, rows, parts, part] { work(part, rows * part / parts, rows * (part + 1) / parts); });
  work(0, 0, rows / parts);
  for (std::thread& other : others) other.join();
}

/** Defines an op, e.g. with {"T: {float, bfloat16}"}, {"x: T"}, {"y: T"}. */
void define_op(const char* name, const std::vector<const char*>& attributes, const std::vector<const char*>& inputs,
               const std::vector<const char*>& outputs);

using Compute = void (*)(void* state, TF_OpKernelContext* context);
using Create = void* (*)(TF_OpKernelConstruction* construction);

/** Registers the kernel that computes the op on the processor where T, if it has one, is this type. */
void define_kernel(const char* op, TF_DataType type, Compute compute, Create create = nullptr,
                   void (*destroy)(void*) = nullptr);

}  // namespace driftloop
