// Powers of 2, lane by lane.
#pragma once
#include <cmath>

#include "simd.h"

namespace {

// 2^x for lowest <= x <= 0, 2^lowest below, of doubles 2^x; NaN stays NaN.
inline Vec<float> exp2(Vec<float> x, Vec<float> lowest) {
  x = lowest > x ? lowest : x;
  // Adding 1.5 * 2^23 rounds x to an integer, in the lowest bits of the sum;
  // 127 more is the exponent field of 2^integer.
  const float round = 12582912.f + 127.f;
  const Vec<float> sum = x + round;
  const Vec<float> f = x - (sum - round);  // in [-1/2, 1/2]
  // The polynomial of degree 5 with the least relative error, 7e-8.
  Vec<float> p = 1.32764720e-3f * f + 9.67554133e-3f;
  p = p * f + 5.55071327e-2f;
  p = p * f + 2.40221197e-1f;
  p = p * f + 6.93146967e-1f;
  p = p * f + 1.f;
  return p * (Vec<float>)((Mask<float>)sum << 23);
}
inline Vec<double> exp2(Vec<double> x, Vec<double> /*lowest*/) {
  for (long lane = 0; lane < kLanes<double>; ++lane) x[lane] = std::exp2(x[lane]);
  return x;
}

constexpr double kLog2e = 1.4426950408889634;

}  // namespace
