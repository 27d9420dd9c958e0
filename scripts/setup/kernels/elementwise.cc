// SwiGLU, its gradient, and the sum between layers: each reads and writes its numbers once.
#include "op.h"

namespace driftloop {
namespace {

inline float sigmoid(float x) { return 1 / (1 + exponential(-x)); }

template <typename T>
inline void swiglu_of(const T* gate, const T* up, T* y, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const float wide = widen(gate[i]);
    put(y + i, wide * sigmoid(wide) * widen(up[i]));
  }
}

DRIFTLOOP_EACH_PROCESSOR
void swiglu(const float* gate, const float* up, float* y, int64_t count) { swiglu_of(gate, up, y, count); }

DRIFTLOOP_EACH_PROCESSOR
void swiglu(const Bf16* gate, const Bf16* up, Bf16* y, int64_t count) { swiglu_of(gate, up, y, count); }

/** d silu(x) = sigmoid(x) (1 + x (1 - sigmoid(x))) */
template <typename T>
inline void gradient_of(const T* gate, const T* up, const T* dy, T* dgate, T* dup, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const float x = widen(gate[i]), s = sigmoid(x), d = widen(dy[i]);
    put(dgate + i, d * widen(up[i]) * s * (1 + x * (1 - s)));
    put(dup + i, d * x * s);
  }
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const float* gate, const float* up, const float* dy, float* dgate, float* dup, int64_t count) {
  gradient_of(gate, up, dy, dgate, dup, count);
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const Bf16* gate, const Bf16* up, const Bf16* dy, Bf16* dgate, Bf16* dup, int64_t count) {
  gradient_of(gate, up, dy, dgate, dup, count);
}

template <typename T>
inline void sum_of(const float* x, const T* y, float* z, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) z[i] = x[i] + widen(y[i]);
}

DRIFTLOOP_EACH_PROCESSOR
void sum(const float* x, const float* y, float* z, int64_t count) { sum_of(x, y, z, count); }

DRIFTLOOP_EACH_PROCESSOR
void sum(const float* x, const Bf16* y, float* z, int64_t count) { sum_of(x, y, z, count); }

template <typename T>
void compute_swiglu(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const int64_t count = TF_TensorElementCount(like);
  const T* gate = call.input<T>(0, count);
  const T* up = call.input<T>(1, count);
  T* y = call.output<T>(0, shape_of(like));
  if (!call.ok()) return;
  in_parts(count, threads_for(count), [=](int64_t, int64_t from, int64_t to) {
    swiglu(gate + from, up + from, y + from, to - from);
  });
}

template <typename T>
void compute_gradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const int64_t count = TF_TensorElementCount(like);
  const T* gate = call.input<T>(0, count);
  const T* up = call.input<T>(1, count);
  const T* dy = call.input<T>(2, count);
  T* dgate = call.output<T>(0, shape_of(like));
  T* dup = call.output<T>(1, shape_of(like));
  if (!call.ok()) return;
  in_parts(count, threads_for(count), [=](int64_t, int64_t from, int64_t to) {
    gradient(gate + from, up + from, dy + from, dgate + from, dup + from, to - from);
  });
}

template <typename T>
void compute_sum(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const int64_t count = TF_TensorElementCount(like);
  const float* x = call.input<float>(0, count);
  const T* y = call.input<T>(1, count);
  float* z = call.output<float>(0, shape_of(like));
  if (!call.ok()) return;
  in_parts(count, threads_for(count),
           [=](int64_t, int64_t from, int64_t to) { sum(x + from, y + from, z + from, to - from); });
}

const bool defined = [] {
  define_op("DriftloopSwiglu", {"T: {float, bfloat16}"}, {"gate: T", "up: T"}, {"y: T"});
  define_kernel("DriftloopSwiglu", TF_FLOAT, compute_swiglu<float>);
  define_kernel("DriftloopSwiglu", TF_BFLOAT16, compute_swiglu<Bf16>);
  define_op("DriftloopSwigluGrad", {"T: {float, bfloat16}"}, {"gate: T", "up: T", "dy: T"}, {"dgate: T", "dup: T"});
  define_kernel("DriftloopSwigluGrad", TF_FLOAT, compute_gradient<float>);
  define_kernel("DriftloopSwigluGrad", TF_BFLOAT16, compute_gradient<Bf16>);
  define_op("DriftloopSum", {"T: {float, bfloat16}"}, {"x: float", "y: T"}, {"z: float"});
  define_kernel("DriftloopSum", TF_FLOAT, compute_sum<float>);
  define_kernel("DriftloopSum", TF_BFLOAT16, compute_sum<Bf16>);
  return true;
}();

}  // namespace
}  // namespace driftloop
