# SPDX-License-Identifier: BSD-3-Clause
# Defaults of a build of xtape itself; a project that includes xtape decides these on its own.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(XTAPE_CCACHE ccache)
  mark_as_advanced(XTAPE_CCACHE)
  if(XTAPE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${XTAPE_CCACHE}")
  endif()
endif()
