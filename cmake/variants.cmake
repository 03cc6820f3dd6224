# SPDX-License-Identifier: BSD-3-Clause
# The shared library once more for newer x86-64 processors, in folders where the dynamic loader
# looks first: it takes the best that the processor runs (glibc 2.33 and newer; "hardware
# capabilities" in ld.so(8)). Each is a library of its own, so that no linker mixes code for
# different processors.
set(linux_x86_64 OFF)
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(linux_x86_64 ON)
endif()

set(XTAPE_HWCAPS_LEVELS "")
if(XTAPE_HWCAPS STREQUAL "AUTO")
  # Who compiles for the machine at hand, or a part of a larger program, wants one library.
  if(linux_x86_64 AND BUILD_SHARED_LIBS AND XTAPE_INSTALL AND NOT XTAPE_NATIVE)
    set(XTAPE_HWCAPS_LEVELS x86-64-v3 x86-64-v4)
  endif()
elseif(XTAPE_HWCAPS)
  if(NOT linux_x86_64 OR NOT BUILD_SHARED_LIBS OR XTAPE_NATIVE)
    message(FATAL_ERROR "XTAPE_HWCAPS=${XTAPE_HWCAPS}: the dynamic loader chooses among shared "
      "libraries for x86-64 Linux; it needs BUILD_SHARED_LIBS=ON and XTAPE_NATIVE=OFF")
  endif()
  set(XTAPE_HWCAPS_LEVELS ${XTAPE_HWCAPS})
endif()

get_target_property(sources xtape SOURCES)
foreach(level IN LISTS XTAPE_HWCAPS_LEVELS)
  if(NOT level MATCHES "^x86-64-v[234]$")
    message(FATAL_ERROR "XTAPE_HWCAPS: expected x86-64-v2, x86-64-v3 or x86-64-v4, got ${level}")
  endif()
  set(target xtape_${level})
  add_library(${target} SHARED ${sources})
  xtape_library(${target})
  target_compile_options(${target} PRIVATE -march=${level})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME xtape
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/glibc-hwcaps/${level}")
  # Programs in the build tree load these, too: none may be older than what is linked.
  add_dependencies(xtape ${target})
  if(XTAPE_INSTALL)
    install(TARGETS ${target}
      LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/glibc-hwcaps/${level}" NAMELINK_SKIP)
  endif()
endforeach()
if(XTAPE_HWCAPS_LEVELS)
  list(JOIN XTAPE_HWCAPS_LEVELS " and " names)
  message(STATUS "xtape: the library is compiled for ${names} as well; the loader chooses")
endif()
