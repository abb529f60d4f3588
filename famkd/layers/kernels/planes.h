// Planes of a map, a lane of a SIMD vector each, whatever the map's layout is.
#pragma once
#include <algorithm>
#include <vector>

#include "simd.h"

namespace {

// Some channels of an image, at most as many as there are lanes. The map is
// (N, C, H, W) or, channels last, (N, H, W, C).
template <class S> struct Planes {
  S* start;
  long lanes, size;  // how many planes, and how many places each has
  long lane_stride, stride;

  Planes(S* map, long image, long channel, long lanes, long channels, long size,
         bool channels_last)
      : start(map + image * channels * size + channel * (channels_last ? 1 : size)),
        lanes(lanes), size(size), lane_stride(channels_last ? 1 : size),
        stride(channels_last ? channels : 1) {}
};

// Place i goes to, or comes from, the vector at places[i]. Lanes without a plane are
// set to anything. Where the lanes are apart, tiles are transposed in the cache.
template <class T, class S>
void read_planes(const Planes<S>& map, const std::vector<long>& places, T* to) {
  if (map.lane_stride == 1) {
    for (long i = 0; i < map.size; ++i)
      read(map.start + i * map.stride, to + places[i], map.lanes);
    return;
  }
  T tile[kLanes<T> * kLanes<T>] = {};
  for (long first = 0; first < map.size; first += kLanes<T>) {
    const long count = std::min(kLanes<T>, map.size - first);
    for (long lane = 0; lane < map.lanes; ++lane)
      read(map.start + lane * map.lane_stride + first, tile + lane * kLanes<T>, count);
    for (long i = 0; i < count; ++i)
      for (long lane = 0; lane < kLanes<T>; ++lane)
        to[places[first + i] + lane] = tile[lane * kLanes<T> + i];
  }
}

template <class T, class S>
void write_planes(const T* from, const std::vector<long>& places, const Planes<S>& map) {
  if (map.lane_stride == 1) {
    for (long i = 0; i < map.size; ++i)
      write(from + places[i], map.start + i * map.stride, map.lanes);
    return;
  }
  T tile[kLanes<T> * kLanes<T>];
  for (long first = 0; first < map.size; first += kLanes<T>) {
    const long count = std::min(kLanes<T>, map.size - first);
    for (long i = 0; i < count; ++i)
      for (long lane = 0; lane < kLanes<T>; ++lane)
        tile[lane * kLanes<T> + i] = from[places[first + i] + lane];
    for (long lane = 0; lane < map.lanes; ++lane)
      write(tile + lane * kLanes<T>, map.start + lane * map.lane_stride + first, count);
  }
}

}  // namespace
