// Softmax of masked scores and its gradient.
#include "op.h"

namespace driftloop {
namespace {

/** Scores of what must not be seen: their shares are 0, and are not computed. */
constexpr float HIDDEN = -1e8f;

template <typename T>
inline void shares_of(const float* scores, const float* mask, T* shares, int64_t width, float* exponentials) {
  // In a causal mask the end of most rows is hidden.
  int64_t seen = width;
  while (seen > 0 && mask[seen - 1] < HIDDEN) seen--;
  float max = -3e38f;
#pragma omp simd reduction(max : max)
  for (int64_t i = 0; i < seen; i++) {
    exponentials[i] = scores[i] + mask[i];
    max = max < exponentials[i] ? exponentials[i] : max;
  }
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < seen; i++) {
    exponentials[i] = exponential(exponentials[i] - max);
    sum += exponentials[i];
  }
  const float factor = 1 / sum;
#pragma omp simd
  for (int64_t i = 0; i < seen; i++) put(shares + i, exponentials[i] * factor);
#pragma omp simd
  for (int64_t i = seen; i < width; i++) put(shares + i, 0.0f);
}

/** Row `row` of the scores has the mask's row `row % mask_rows`. */
template <typename T>
inline void softmax_rows(const float* scores, const float* mask, T* shares, int64_t from, int64_t to, int64_t width,
                         int64_t mask_rows, float* scratch) {
  for (int64_t row = from; row < to; row++)
    shares_of(scores + row * width, mask + row % mask_rows * width, shares + row * width, width, scratch);
}

DRIFTLOOP_EACH_PROCESSOR
void softmax(const float* scores, const float* mask, float* shares, int64_t from, int64_t to, int64_t width,
             int64_t mask_rows, float* scratch) {
  softmax_rows(scores, mask, shares, from, to, width, mask_rows, scratch);
}

DRIFTLOOP_EACH_PROCESSOR
void softmax(const float* scores, const float* mask, Bf16* shares, int64_t from, int64_t to, int64_t width,
             int64_t mask_rows, float* scratch) {
  softmax_rows(scores, mask, shares, from, to, width, mask_rows, scratch);
}

template <typename T>
void compute_softmax(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  const TF_Tensor* mask_like = call.tensor(1);
  if (like == nullptr || mask_like == nullptr) return;
  const auto shape = shape_of(like);
  const int64_t width = shape.back(), rows = TF_TensorElementCount(like) / width;
  const int64_t mask_rows = TF_TensorElementCount(mask_like) / width;
  const float* scores = call.input<float>(0, rows * width);
  const float* mask = call.input<float>(1, mask_rows * width);
  T* shares = call.output<T>(0, shape);
  if (!call.ok()) return;
  const int64_t parts = threads_for(rows * width);
  std::vector<float> scratch(parts * width);
  in_parts(rows, parts, [&](int64_t part, int64_t from, int64_t to) {
    softmax(scores, mask, shares, from, to, width, mask_rows, scratch.data() + part * width);
  });
}

/** share * (d - sum of share * d over the row) */
template <typename T>
inline void gradient_rows(const T* shares, const T* dshares, T* dscores, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; row++, shares += width, dshares += width, dscores += width) {
    float along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t i = 0; i < width; i++) along += widen(shares[i]) * widen(dshares[i]);
#pragma omp simd
    for (int64_t i = 0; i < width; i++) put(dscores + i, widen(shares[i]) * (widen(dshares[i]) - along));
  }
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const float* shares, const float* dshares, float* dscores, int64_t rows, int64_t width) {
  gradient_rows(shares, dshares, dscores, rows, width);
}

DRIFTLOOP_EACH_PROCESSOR
void gradient(const Bf16* shares, const Bf16* dshares, Bf16* dscores, int64_t rows, int64_t width) {
  gradient_rows(shares, dshares, dscores, rows, width);
}

template <typename T>
void compute_gradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const auto shape = shape_of(like);
  const int64_t width = shape.back(), rows = TF_TensorElementCount(like) / width;
  const T* shares = call.input<T>(0, rows * width);
  const T* dshares = call.input<T>(1, rows * width);
  T* dscores = call.output<T>(0, shape);
  if (!call.ok()) return;
  in_parts(rows, threads_for(rows * width), [=](int64_t, int64_t from, int64_t to) {
    gradient(shares + from * width, dshares + from * width, dscores + from * width, to - from, width);
  });
}

const bool defined = [] {
  define_op("DriftloopSoftmax", {"T: {float, bfloat16}"}, {"scores: float", "mask: float"}, {"shares: T"});
  define_kernel("DriftloopSoftmax", TF_FLOAT, compute_softmax<float>);
  define_kernel("DriftloopSoftmax", TF_BFLOAT16, compute_softmax<Bf16>);
  define_op("DriftloopSoftmaxGrad", {"T: {float, bfloat16}"}, {"shares: T", "dshares: T"}, {"dscores: T"});
  define_kernel("DriftloopSoftmaxGrad", TF_FLOAT, compute_gradient<float>);
  define_kernel("DriftloopSoftmaxGrad", TF_BFLOAT16, compute_gradient<Bf16>);
  return true;
}();

}  // namespace
}  // namespace driftloop
