// The filter of FAM, bin by bin, and its gradients: see filter_matrix.py.
#include <algorithm>
#include <vector>

#include "simd.h"

namespace {

// A row of complex numbers, and the two rows of real matrices that stand for it where
// they are BFloat16: (re, im) and below it (-im, re).
template <class T> void write_row(const T* row, T* to, long size) {
  std::copy_n(row, size, to);
}
void write_row(const float* row, BFloat16* to, long size) {
  for (long i = 0; i < size; i += kLanes<float>)
    write(row + i, to + i, std::min(kLanes<float>, size - i));
  for (long i = 0; i < size; i += 2) {
    uint32_t number;  // the real part in its lower half
    std::memcpy(&number, to + i, sizeof number);
    number = (number << 16 | number >> 16) ^ 0x8000;
    std::memcpy(to + size + i, &number, sizeof number);
  }
}

// The gradient of a row, by that of what is written for it.
template <class T> const T* read_row(const T* from, T*, long) { return from; }
const float* read_row(const BFloat16* from, float* space, long size) {
  const auto wide = [](BFloat16 x) {
    const uint32_t bits = uint32_t(x.bits) << 16;
    float wide;
    std::memcpy(&wide, &bits, sizeof wide);
    return wide;
  };
  for (long i = 0; i < size; i += 2) {
    space[i] = wide(from[i]) + wide(from[size + i + 1]);
    space[i + 1] = wide(from[i + 1]) - wide(from[size + i]);
  }
  return space;
}
template <class S> constexpr long kRows = 1;
template <> constexpr long kRows<BFloat16> = 2;

template <class T, class S>
void filter_matrix(const T* weight, const T* scale, const T* pointwise, S* matrix,
                   long bins, long in, long out, bool conjugate, int threads) {
  const long size = 2 * out;
#pragma omp parallel num_threads(threads)
  {
    std::vector<T> space(size);
    T* row = space.data();
#pragma omp for
    for (long bin = 0; bin < bins; ++bin) {
      const T a = scale[bin], b = conjugate ? -a : a;
      for (long i = 0; i < in; ++i) {
        const T *p = weight + (bin * in + i) * size, *w = pointwise + i * out;
#pragma omp simd
        for (long o = 0; o < out; ++o) {
          row[2 * o] = a * p[2 * o] + w[o];
          row[2 * o + 1] = b * p[2 * o + 1];
        }
        write_row(row, matrix + kRows<S> * (bin * in + i) * size, size);
      }
    }
  }
}

template <class T, class S>
void filter_gradients(const S* grad, const T* weight, const T* scale, const T* counts,
                      T* grad_weight, T* grad_scale, T* grad_pointwise, long bins,
                      long in, long out, long chunk, int threads) {
  const long size = 2 * out;
#pragma omp parallel num_threads(threads)
  {
    std::vector<T> space(size);
#pragma omp for
    for (long first = 0; first < bins; first += chunk) {
      T* sums = grad_pointwise + first / chunk * in * size;
      std::fill_n(sums, in * size, T(0));
      for (long bin = first; bin < std::min(first + chunk, bins); ++bin) {
        const T count = counts[bin], factor = count * scale[bin];
        T product = 0;
        for (long i = 0; i < in; ++i) {
          const long at = (bin * in + i) * size;
          const T *g = read_row(grad + kRows<S> * at, space.data(), size), *p = weight + at;
          T *to = grad_weight + at, *sum = sums + i * size;
#pragma omp simd reduction(+ : product)
          for (long k = 0; k < size; ++k) {
            product += g[k] * p[k];
            sum[k] += count * g[k];
            to[k] = factor * g[k];
          }
        }
        grad_scale[bin] = count * product;
      }
    }
  }
}

}  // namespace

// weight, grad_weight: (bins, in, out, 2); scale, counts, grad_scale: (bins); pointwise:
// (in, out); grad_pointwise: (chunks, in, out, 2), to be summed. matrix and grad are of
// type S: (bins, in, out, 2), or, of BFloat16, (bins, 2 * in, 2 * out).
#define EXPORT(T, S, suffix)                                                           \
  extern "C" void filter_matrix_##suffix(                                              \
      S* matrix, const T* weight, const T* scale, const T* pointwise, long bins,       \
      long in, long out, long conjugate, int threads) {                                \
    filter_matrix(weight, scale, pointwise, matrix, bins, in, out, conjugate,          \
                  threads);                                                            \
  }                                                                                    \
  extern "C" void filter_gradients_##suffix(                                           \
      const S* grad, const T* weight, const T* scale, const T* counts, T* grad_weight, \
      T* grad_scale, T* grad_pointwise, long bins, long in, long out, long chunk,      \
      int threads) {                                                                   \
    filter_gradients(grad, weight, scale, counts, grad_weight, grad_scale,             \
                     grad_pointwise, bins, in, out, chunk, threads);                   \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
