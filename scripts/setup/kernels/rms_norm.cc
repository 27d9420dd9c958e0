// RMS norm and its gradient, each in one pass over rows that stay in the processor's nearest cache.
#include "op.h"

namespace driftloop {
namespace {

struct Settings {
  float eps = 0;
};

void* create(TF_OpKernelConstruction* construction) {
  auto* settings = new Settings;
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrFloat(construction, "eps", &settings->eps, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return settings;
}

void destroy(void* settings) { delete static_cast<Settings*>(settings); }

inline float inverse_rms(const float* x, int64_t width, float eps) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < width; i++) sum += x[i] * x[i];
  return 1 / std::sqrt(sum / width + eps);
}

template <typename T>
inline void norm_rows(const float* x, const float* weight, T* y, int64_t rows, int64_t width, float eps) {
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
    const float inverse = inverse_rms(x, width, eps);
#pragma omp simd
    for (int64_t i = 0; i < width; i++) put(y + i, x[i] * inverse * weight[i]);
  }
}

DRIFTLOOP_EACH_PROCESSOR
void norm(const float* x, const float* weight, float* y, int64_t rows, int64_t width, float eps) {
  norm_rows(x, weight, y, rows, width, eps);
}

DRIFTLOOP_EACH_PROCESSOR
void norm(const float* x, const float* weight, Bf16* y, int64_t rows, int64_t width, float eps) {
  norm_rows(x, weight, y, rows, width, eps);
}

template <typename T>
void compute_norm(void* settings, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* x_tensor = call.tensor(0);
  if (x_tensor == nullptr) return;
  const auto shape = shape_of(x_tensor);
  const int64_t width = shape.back(), rows = TF_TensorElementCount(x_tensor) / width;
  const float* x = call.input<float>(0, rows * width);
  const float* weight = call.input<float>(1, width);
  T* y = call.output<T>(0, shape);
  if (!call.ok()) return;
  const float eps = static_cast<Settings*>(settings)->eps;
  in_parts(rows, threads_for(rows * width), [=](int64_t, int64_t from, int64_t to) {
    norm(x + from * width, weight, y + from * width, to - from, width, eps);
  });
}

/** With n = x * inverse and g = the sum of dys: dx = past + inverse * (g * weight - n * mean(g * weight * n)). */
template <typename T>
struct Gradient {
  const float* x;
  const float* weight;
  const float* past;
  std::vector<const T*> dys;
  float* dx;
  int64_t width;
  float eps;
};

template <typename T>
inline void gradient_rows(const Gradient<T>& of, int64_t from, int64_t to, float* dy, float* dweight) {
  const int64_t width = of.width;
  const float* weight = of.weight;
  for (int64_t at = from * width; at < to * width; at += width) {
    const float* x = of.x + at;
    const float* past = of.past + at;
    float* dx = of.dx + at;
    const T* first = of.dys[0] + at;
#pragma omp simd
    for (int64_t i = 0; i < width; i++) dy[i] = widen(first[i]);
    for (size_t other = 1; other < of.dys.size(); other++) {
      const T* more = of.dys[other] + at;
#pragma omp simd
      for (int64_t i = 0; i < width; i++) dy[i] += widen(more[i]);
    }
    const float inverse = inverse_rms(x, width, of.eps);
    float along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < width; i++) {
      const float product = dy[i] * x[i] * inverse;
      dweight[i] += product;
      along += product * weight[i];
    }
    const float mean = along / width;
#pragma omp simd
    for (int64_t i = 0; i < width; i++) dx[i] = past[i] + inverse * (dy[i] * weight[i] - x[i] * inverse * mean);
  }
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const Gradient<float>& of, int64_t from, int64_t to, float* dy, float* dweight) {
  gradient_rows(of, from, to, dy, dweight);
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const Gradient<Bf16>& of, int64_t from, int64_t to, float* dy, float* dweight) {
  gradient_rows(of, from, to, dy, dweight);
}

template <typename T>
void compute_gradient(void* settings, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* x_tensor = call.tensor(0);
  if (x_tensor == nullptr) return;
  const auto shape = shape_of(x_tensor);
  const int64_t width = shape.back(), rows = TF_TensorElementCount(x_tensor) / width;
  Gradient<T> of{};
  of.x = call.input<float>(0, rows * width);
  of.weight = call.input<float>(1, width);
  of.past = call.input<float>(2, rows * width);
  for (int index = 3; index < call.inputs(); index++) of.dys.push_back(call.input<T>(index, rows * width));
  of.dx = call.output<float>(0, shape);
  of.width = width;
  of.eps = static_cast<Settings*>(settings)->eps;
  float* dweight = call.output<float>(1, {width});
  if (!call.ok()) return;
  const int64_t parts = threads_for(rows * width);
  // For each thread the row's gradient, and its share of the weight's.
  std::vector<float> scratch(2 * parts * width);
  in_parts(rows, parts, [&](int64_t part, int64_t from, int64_t to) {
    float* own = scratch.data() + 2 * part * width;
    gradient(of, from, to, own, own + width);
  });
  for (int64_t i = 0; i < width; i++) {
    dweight[i] = 0;
    for (int64_t part = 0; part < parts; part++) dweight[i] += scratch[(2 * part + 1) * width + i];
  }
}

const bool defined = [] {
  define_op("DriftloopRmsNorm", {"T: {float, bfloat16}", "eps: float"}, {"x: float", "weight: float"}, {"y: T"});
  define_kernel("DriftloopRmsNorm", TF_FLOAT, compute_norm<float>, create, destroy);
  define_kernel("DriftloopRmsNorm", TF_BFLOAT16, compute_norm<Bf16>, create, destroy);
  define_op("DriftloopRmsNormGrad", {"T: {float, bfloat16}", "N: int >= 1", "eps: float"},
            {"x: float", "weight: float", "past: float", "dys: N * T"}, {"dx: float", "dweight: float"});
  define_kernel("DriftloopRmsNormGrad", TF_FLOAT, compute_gradient<float>, create, destroy);
  define_kernel("DriftloopRmsNormGrad", TF_BFLOAT16, compute_gradient<Bf16>, create, destroy);
  return true;
}();

}  // namespace
}  // namespace driftloop
