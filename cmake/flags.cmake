# SPDX-License-Identifier: BSD-3-Clause
include(CheckCXXCompilerFlag)

check_cxx_compiler_flag(-march=native XTAPE_HAS_MARCH_NATIVE)
set(XTAPE_NATIVE_FLAGS "")
if(XTAPE_HAS_MARCH_NATIVE)
  set(XTAPE_NATIVE_FLAGS -march=native)
endif()

# Warnings, sanitizers and coverage for a target of ours; nothing of it reaches users.
function(xtape_compile_options target)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    # No -Wshadow: a closure's a, b, x, y are those of the operation around it, on purpose.
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wnon-virtual-dtor)
    # GCC 12 warns of its own headers: AVX-512 intrinsics (bug 105593), sums of strings (105651).
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      target_compile_options(${target} PRIVATE
        -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
    endif()
    if(XTAPE_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
  endif()
  if(XTAPE_SANITIZE)
    set(flags -fsanitize=${XTAPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(${target} PRIVATE ${flags})
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
    target_link_options(${target} PRIVATE ${flags})
  endif()
  if(XTAPE_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()

# Options of the library alone. Values stay those of IEEE arithmetic (no -ffast-math: NaN, Inf and
# the order of sums matter here); without errno and trap flags, which nobody reads, sqrt and
# branches around arithmetic become vector code.
function(xtape_library_options target)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(${target} PRIVATE -fno-math-errno -fno-trapping-math)
    # Nobody replaces our functions at load time: calls among them are direct and can be inlined.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
      target_link_options(${target} PRIVATE -Wl,-Bsymbolic-functions)
    endif()
  endif()
  if(XTAPE_NATIVE)
    target_compile_options(${target} PRIVATE ${XTAPE_NATIVE_FLAGS})
  endif()
endfunction()

# A program of ours (test, example, benchmark): built as a user's would be, on xtape::xtape.
function(xtape_add_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE xtape::xtape)
  if(XTAPE_NATIVE)
    target_link_libraries(${name} PRIVATE xtape::native)
  endif()
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF BUILD_RPATH "${XTAPE_BLAS_RUNPATH}")
  xtape_compile_options(${name})
endfunction()
