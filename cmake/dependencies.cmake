# SPDX-License-Identifier: BSD-3-Clause
# Everything is looked for first, so that one message names all that is missing. Nothing is
# downloaded.

set(xtape_missing_names "")
set(xtape_missing_packages "")
macro(xtape_require found name debian_package)
  if(NOT ${found})
    list(APPEND xtape_missing_names "${name} (Debian: ${debian_package})")
    list(APPEND xtape_missing_packages ${debian_package})
  endif()
endmacro()

find_package(xtensor 0.24 QUIET)
xtape_require(xtensor_FOUND "xtensor 0.24 or newer" libxtensor-dev)
find_package(xtensor-blas QUIET)
xtape_require(xtensor-blas_FOUND xtensor-blas libxtensor-blas-dev)
find_package(xsimd 8 QUIET)
xtape_require(xsimd_FOUND "xsimd 8 or newer" libxsimd-dev)
find_package(XtapeBLAS QUIET)
xtape_require(XtapeBLAS_FOUND "OpenBLAS, its OpenMP build" libopenblas-openmp-dev)
find_path(XTAPE_RANDOM123_INCLUDE_DIR Random123/philox.h)
mark_as_advanced(XTAPE_RANDOM123_INCLUDE_DIR)
xtape_require(XTAPE_RANDOM123_INCLUDE_DIR Random123 librandom123-dev)
find_package(ZLIB QUIET)
xtape_require(ZLIB_FOUND zlib zlib1g-dev)
find_package(nlohmann_json QUIET)
xtape_require(nlohmann_json_FOUND nlohmann-json nlohmann-json3-dev)
find_package(Threads QUIET)
xtape_require(Threads_FOUND threads libc6-dev)
if(XTAPE_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
  xtape_require(OpenMP_CXX_FOUND "OpenMP (or set XTAPE_OPENMP=OFF)" g++)
endif()
if(XTAPE_ONEDNN)
  find_package(XtapeOneDNN 2.6 QUIET)
  if(NOT XTAPE_ONEDNN STREQUAL "AUTO")
    xtape_require(XtapeOneDNN_FOUND "oneDNN 2.6 or newer (or set XTAPE_ONEDNN=OFF)" libdnnl-dev)
  endif()
endif()
if(XTAPE_BUILD_TESTS)
  set(Boost_USE_STATIC_LIBS OFF)
  find_package(Boost 1.74 QUIET COMPONENTS unit_test_framework)
  xtape_require(Boost_UNIT_TEST_FRAMEWORK_FOUND "Boost.Test (or set XTAPE_BUILD_TESTS=OFF)"
    libboost-test-dev)
endif()
if(XTAPE_BUILD_EXAMPLES)
  find_package(CLI11 QUIET)
  xtape_require(CLI11_FOUND "CLI11 (or set XTAPE_BUILD_EXAMPLES=OFF)" libcli11-dev)
endif()
if(XTAPE_BUILD_BENCHMARKS)
  find_package(benchmark QUIET)
  xtape_require(benchmark_FOUND "Google Benchmark (or set XTAPE_BUILD_BENCHMARKS=OFF)"
    libbenchmark-dev)
endif()

if(xtape_missing_names)
  list(JOIN xtape_missing_names "\n    " names)
  list(JOIN xtape_missing_packages " " packages)
  message(FATAL_ERROR "xtape needs what was not found here:\n    ${names}\n"
    "On Debian, all of it:\n    apt-get install ${packages}\n"
    "Elsewhere, name the folders where they are in CMAKE_PREFIX_PATH.")
endif()

if(XTAPE_ONEDNN AND XtapeOneDNN_FOUND)
  message(STATUS "xtape: oneDNN ${XtapeOneDNN_VERSION}, ${XTAPE_ONEDNN_LIBRARY}")
elseif(XTAPE_ONEDNN)
  message(STATUS "xtape: without oneDNN, convolutions are slower (Debian: libdnnl-dev)")
endif()
message(STATUS "xtape: BLAS ${XTAPE_BLAS_LIBRARY}")

function(xtape_link_dependencies target)
  # Two public headers, autograd/xtensor.hpp and autograd/pointwise.hpp, need these; all others do
  # without, so neither has to be there for users of the rest.
  target_link_libraries(${target} INTERFACE
    $<TARGET_NAME_IF_EXISTS:xtensor> $<TARGET_NAME_IF_EXISTS:xsimd>)
  target_link_libraries(${target} PRIVATE
    $<BUILD_INTERFACE:xtensor> $<BUILD_INTERFACE:xtensor-blas> $<BUILD_INTERFACE:xsimd>
    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> xtape::blas ZLIB::ZLIB Threads::Threads)
  target_include_directories(${target} SYSTEM PRIVATE "${XTAPE_RANDOM123_INCLUDE_DIR}")
  if(XTAPE_OPENMP)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
  endif()
  if(XTAPE_ONEDNN AND XtapeOneDNN_FOUND)
    target_link_libraries(${target} PRIVATE xtape::onednn)
    target_compile_definitions(${target} PRIVATE XTAPE_HAS_ONEDNN)
  endif()
endfunction()
