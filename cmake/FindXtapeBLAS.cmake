# SPDX-License-Identifier: BSD-3-Clause
# OpenBLAS with LAPACK, in its OpenMP build where there are several: target xtape::blas,
# XTAPE_BLAS_RUNPATH the folder that programs must look in first (all builds of OpenBLAS share one
# SONAME, and the system may prefer another one).

find_library(XTAPE_BLAS_LIBRARY NAMES openblas PATH_SUFFIXES openblas-openmp)
find_path(XTAPE_BLAS_INCLUDE_DIR NAMES openblas_config.h
  PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp openblas-openmp openblas)
mark_as_advanced(XTAPE_BLAS_LIBRARY XTAPE_BLAS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XtapeBLAS
  REQUIRED_VARS XTAPE_BLAS_LIBRARY XTAPE_BLAS_INCLUDE_DIR)

if(XtapeBLAS_FOUND)
  get_filename_component(XTAPE_BLAS_RUNPATH "${XTAPE_BLAS_LIBRARY}" DIRECTORY)
  if(XTAPE_BLAS_RUNPATH IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    set(XTAPE_BLAS_RUNPATH "")
  endif()
  if(NOT TARGET xtape::blas)
    add_library(xtape::blas UNKNOWN IMPORTED)
    set_target_properties(xtape::blas PROPERTIES
      IMPORTED_LOCATION "${XTAPE_BLAS_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${XTAPE_BLAS_INCLUDE_DIR}")
  endif()
endif()
