// torch's RMSprop in one pass over weight, mean square and gradient, and the gradient's sum of squares.
#include "op.h"

namespace driftloop {
namespace {

struct Rates {
  float alpha;
  float epsilon;
  float learning_rate;
  /** Of the gradient, as clipping found it. */
  float scale;
};

template <typename T>
inline void update_of(float* weight, float* square, const T* gradient, int64_t count, Rates rates) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const float scaled = widen(gradient[i]) * rates.scale;
    square[i] = rates.alpha * square[i] + (1 - rates.alpha) * scaled * scaled;
    weight[i] -= rates.learning_rate * scaled / (std::sqrt(square[i]) + rates.epsilon);
  }
}

DRIFTLOOP_EACH_PROCESSOR
void update(float* weight, float* square, const float* gradient, int64_t count, Rates rates) {
  update_of(weight, square, gradient, count, rates);
}

DRIFTLOOP_EACH_PROCESSOR
void update(float* weight, float* square, const Bf16* gradient, int64_t count, Rates rates) {
  update_of(weight, square, gradient, count, rates);
}

/** Writes into the first two inputs, as TensorFlow's InplaceUpdate does. */
template <typename T>
void compute_update(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const int64_t count = TF_TensorElementCount(like);
  float* weight = call.input<float>(0, count);
  float* square = call.input<float>(1, count);
  const T* gradient = call.input<T>(2, count);
  const float* rates = call.input<float>(3, 4);
  if (!call.ok()) return;
  in_parts(count, threads_for(count), [=](int64_t, int64_t from, int64_t to) {
    const Rates of{rates[0], rates[1], rates[2], rates[3]};
    update(weight + from, square + from, gradient + from, to - from, of);
  });
}

/** In stretches, whose sums are added up in double precision. */
constexpr int64_t STRETCH = 4096;

template <typename T>
inline double squares_of(const T* x, int64_t count) {
  double total = 0;
  for (int64_t start = 0; start < count; start += STRETCH) {
    const int64_t end = start + STRETCH < count ? start + STRETCH : count;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = start; i < end; i++) sum += widen(x[i]) * widen(x[i]);
    total += sum;
  }
  return total;
}

DRIFTLOOP_EACH_PROCESSOR
double squares(const float* x, int64_t count) { return squares_of(x, count); }

DRIFTLOOP_EACH_PROCESSOR
double squares(const Bf16* x, int64_t count) { return squares_of(x, count); }

template <typename T>
void compute_squares(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* like = call.tensor(0);
  if (like == nullptr) return;
  const int64_t count = TF_TensorElementCount(like);
  const T* x = call.input<T>(0, count);
  float* sum = call.output<float>(0, {});
  if (!call.ok()) return;
  const int64_t parts = threads_for(count);
  std::vector<double> sums(parts);
  in_parts(count, parts,
           [&](int64_t part, int64_t from, int64_t to) { sums[part] = squares(x + from, to - from); });
  double total = 0;
  for (double part : sums) total += part;
  *sum = static_cast<float>(total);
}

const bool defined = [] {
  define_op("DriftloopRmsProp", {"T: {float, bfloat16}"},
            {"weight: float", "square: float", "gradient: T", "rates: float"}, {});
  define_kernel("DriftloopRmsProp", TF_FLOAT, compute_update<float>);
  define_kernel("DriftloopRmsProp", TF_BFLOAT16, compute_update<Bf16>);
  define_op("DriftloopSquareSum", {"T: {float, bfloat16}"}, {"x: T"}, {"sum: float"});
  define_kernel("DriftloopSquareSum", TF_FLOAT, compute_squares<float>);
  define_kernel("DriftloopSquareSum", TF_BFLOAT16, compute_squares<Bf16>);
  return true;
}();

}  // namespace
}  // namespace driftloop
