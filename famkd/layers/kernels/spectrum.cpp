// The half spectrum of every plane of a map and its inverse: see spectrum.py. A thread
// takes some channels of an image at a time, as many as a SIMD vector has lanes, so
// that all of them go through the same steps.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "planes.h"

namespace {

// Real and imaginary parts of vectors of complex numbers, one after the other.
template <class T> struct Signal {
  T *re, *im;

  Signal swapped() const { return {im, re}; }
  Vec<T> real(long i) const { return load(re + i * kLanes<T>); }
  Vec<T> imag(long i) const { return load(im + i * kLanes<T>); }
  void put(long i, Vec<T> real, Vec<T> imag) const {
    store(re + i * kLanes<T>, real);
    store(im + i * kLanes<T>, imag);
  }
};

// The Fourier transform of one length, by Stockham's algorithm: no bit reversal, but
// every stage writes into other memory than it reads.
template <class T> class Fourier {
 public:
  explicit Fourier(long length) : length_(length), cos_(length), sin_(length) {
    for (long i = 0; i < length; ++i) {
      const double angle = -2 * 3.14159265358979323846 * i / length;
      cos_[i] = std::cos(angle);
      sin_[i] = std::sin(angle);
    }
    long rest = length;
    for (; rest % 4 == 0; rest /= 4) radices_.push_back(4);
    for (long radix = 2; rest > 1; ++radix)
      for (; rest % radix == 0; rest /= radix) radices_.push_back(radix);
  }

  // Along the first axis of (length, inner). x holds the result, space is overwritten.
  // With both swapped(), the inverse. Neither is normalised.
  void operator()(Signal<T>& x, Signal<T>& space, long inner) const {
    long length = length_;
    for (const long radix : radices_) {
      length /= radix;
      for (long p = 0; p < length; ++p) {
        const Signal<T> from = at(x, p * inner), to = at(space, radix * p * inner);
        const long root = p * (length_ / (length * radix));
        if (radix == 4)
          butterfly4(from, to, root, length * inner, inner);
        else if (radix == 2)
          butterfly2(from, to, root, length * inner, inner);
        else
          butterfly(from, to, radix, root, length * inner, inner);
      }
      inner *= radix;
      std::swap(x, space);
    }
  }

 private:
  static Signal<T> at(const Signal<T>& x, long i) {
    return {x.re + i * kLanes<T>, x.im + i * kLanes<T>};
  }

  // to[j] = root^j sum_k exp(-2 pi i j k / radix) from[k], for `inner` signals.
  void butterfly(const Signal<T>& from, const Signal<T>& to, long radix, long root,
                 long step, long inner) const {
    for (long j = 0; j < radix; ++j) {
      const long angle = j * (length_ / radix);
      for (long q = 0; q < inner; ++q) {
        Vec<T> re = {}, im = {};
        for (long k = 0, i = j * root % length_; k < radix; ++k) {
          const Vec<T> a = from.real(q + k * step), b = from.imag(q + k * step);
          re += a * cos_[i] - b * sin_[i];
          im += a * sin_[i] + b * cos_[i];
          i = i + angle < length_ ? i + angle : i + angle - length_;
        }
        to.put(q + j * inner, re, im);
      }
    }
  }
  void butterfly2(const Signal<T>& from, const Signal<T>& to, long root, long step,
                  long inner) const {
    for (long q = 0; q < inner; ++q) {
      const Vec<T> a = from.real(q), b = from.imag(q);
      const Vec<T> c = from.real(q + step), d = from.imag(q + step);
      to.put(q, a + c, b + d);
      turn(to, q + inner, a - c, b - d, cos_[root], sin_[root]);
    }
  }
  void butterfly4(const Signal<T>& from, const Signal<T>& to, long root, long step,
                  long inner) const {
    const T c1 = cos_[root], c2 = cos_[2 * root], c3 = cos_[3 * root];
    const T s1 = sin_[root], s2 = sin_[2 * root], s3 = sin_[3 * root];
    for (long q = 0; q < inner; ++q) {
      const Vec<T> a = from.real(q), b = from.imag(q);
      const Vec<T> c = from.real(q + step), d = from.imag(q + step);
      const Vec<T> e = from.real(q + 2 * step), f = from.imag(q + 2 * step);
      const Vec<T> g = from.real(q + 3 * step), h = from.imag(q + 3 * step);
      const Vec<T> even_re = a + e, even_im = b + f, even2_re = a - e, even2_im = b - f;
      const Vec<T> odd_re = c + g, odd_im = d + h, odd2_re = d - h, odd2_im = g - c;
      to.put(q, even_re + odd_re, even_im + odd_im);
      turn(to, q + inner, even2_re + odd2_re, even2_im + odd2_im, c1, s1);
      turn(to, q + 2 * inner, even_re - odd_re, even_im - odd_im, c2, s2);
      turn(to, q + 3 * inner, even2_re - odd2_re, even2_im - odd2_im, c3, s3);
    }
  }
  static void turn(const Signal<T>& to, long i, Vec<T> re, Vec<T> im, T cos, T sin) {
    to.put(i, re * cos - im * sin, re * sin + im * cos);
  }

  long length_;
  std::vector<T> cos_, sin_;
  std::vector<long> radices_;
};

// The half spectrum of kLanes<T> planes of one size, and its inverse, both orthonormal.
template <class T> class Spectrum {
 public:
  Spectrum(long height, long width)
      : height_(height), width_(width), half_(width / 2 + 1), pairs_((height + 1) / 2),
        size_(std::max(2 * pairs_ * half_, width * pairs_)), columns_(height),
        rows_(width), scale_(1 / std::sqrt(double(height * width))),
        places_(height * width) {
    for (long h = 0; h < height; ++h)
      for (long w = 0; w < width; ++w)
        places_[h * width + w] = (h % 2 * size_ + w * pairs_ + h / 2) * kLanes<T>;
  }

  // Numbers of working memory.
  long space() const { return 4 * size_ * kLanes<T>; }

  // Two rows at a time are real and imaginary part of one signal; by symmetry, what is
  // of which row can be told apart in its transform.
  // `conjugate`: the bins are the conjugates of the spectrum's, here and in inverse().
  template <class S, class B>
  void forward(const Planes<S>& map, B* to, long stride, bool conjugate,
               T* space) const {
    Signal<T> x = signal(space, 0), y = signal(space, 1);
    if (height_ % 2) std::fill_n(x.im, size_ * kLanes<T>, T(0));
    read_planes(map, places_, space);
    rows_(x, y, pairs_);
    const T scale = scale_ / 2;
    for (long k = 0; k < half_; ++k)
      for (long pair = 0; pair < pairs_; ++pair) {
        const long i = k * pairs_ + pair, j = (width_ - k) % width_ * pairs_ + pair;
        const Vec<T> a = x.real(i), b = x.imag(i), c = x.real(j), d = x.imag(j);
        y.put(2 * pair * half_ + k, (a + c) * scale, (b - d) * scale);
        y.put((2 * pair + 1) * half_ + k, (b + d) * scale, (c - a) * scale);
      }
    columns_(y, x, half_);
    const T sign = conjugate ? -1 : 1;
    for (long bin = 0; bin < height_ * half_; ++bin)
      write_complex<T>(y.real(bin), sign * y.imag(bin), to + bin * stride, map.lanes);
  }

  template <class S, class B>
  void inverse(const Planes<S>& map, const B* from, long stride, bool conjugate,
               T* space) const {
    Signal<T> x = signal(space, 0).swapped(), y = signal(space, 1).swapped();
    const T scale = scale_, imag_scale = conjugate ? -scale : scale;
    for (long bin = 0; bin < height_ * half_; ++bin) {
      Vec<T> re, im;
      read_complex<T>(from + bin * stride, re, im, map.lanes);
      x.put(bin, im * imag_scale, re * scale);
    }
    columns_(x, y, half_);
    x = x.swapped(), y = y.swapped();
    if (height_ % 2) {  // the row that is missing in the last pair
      std::fill_n(x.re + height_ * half_ * kLanes<T>, half_ * kLanes<T>, T(0));
      std::fill_n(x.im + height_ * half_ * kLanes<T>, half_ * kLanes<T>, T(0));
    }
    for (long k = 0; k < half_; ++k)
      for (long pair = 0; pair < pairs_; ++pair) {
        const long i = 2 * pair * half_ + k, j = i + half_;
        const Vec<T> a = x.real(i), b = x.imag(i), c = x.real(j), d = x.imag(j);
        if (k == 0 || 2 * k == width_) {  // real in the transform of a real row
          y.put(k * pairs_ + pair, a, c);
        } else {
          y.put(k * pairs_ + pair, a - d, b + c);
          y.put((width_ - k) * pairs_ + pair, a + d, c - b);
        }
      }
    x = x.swapped(), y = y.swapped();
    rows_(y, x, pairs_);
    // The rows are in y, in the half of the memory in which its signal ended up.
    write_planes(y.swapped().re, places_, map);
  }

 private:
  Signal<T> signal(T* space, long i) const {
    T* re = space + 2 * i * size_ * kLanes<T>;
    return {re, re + size_ * kLanes<T>};
  }

  long height_, width_, half_, pairs_, size_;
  Fourier<T> columns_, rows_;
  double scale_;
  std::vector<long> places_;  // of the positions of a map in the pairs of its rows
};

template <bool kInverse, class T, class S, class B>
void transform(S* map, B* bins, long batch, long channels, long height, long width,
               bool last, bool conjugate, int threads) {
  const Spectrum<T> spectrum(height, width);
  each_block<T>(batch, channels, spectrum.space(), threads,
                [&](long image, long channel, long lanes, T* space) {
    const Planes<S> planes(map, image, channel, lanes, channels, height * width, last);
    auto* at = bins + 2 * (image * channels + channel);
    const long stride = 2 * batch * channels;
    if constexpr (kInverse)
      spectrum.inverse(planes, at, stride, conjugate, space);
    else
      spectrum.forward(planes, at, stride, conjugate, space);
  });
}

}  // namespace

// map: (N, C, H, W), or (N, H, W, C) if channels_last; bins: (H * (W / 2 + 1), N, C, 2),
// real and imaginary parts. Both are of type S, computed in T.
#define EXPORT(T, S, suffix)                                                           \
  extern "C" void to_spectrum_##suffix(const S* map, S* bins, long n, long c, long h,  \
                                       long w, long channels_last, long conjugate,     \
                                       int threads) {                                  \
    transform<false, T>(map, bins, n, c, h, w, channels_last, conjugate, threads);     \
  }                                                                                    \
  extern "C" void from_spectrum_##suffix(S* map, const S* bins, long n, long c,        \
                                         long h, long w, long channels_last,           \
                                         long conjugate, int threads) {                \
    transform<true, T>(map, bins, n, c, h, w, channels_last, conjugate, threads);      \
  }
EXPORT(float, float, float32)
EXPORT(double, double, float64)
EXPORT(float, BFloat16, bfloat16)
