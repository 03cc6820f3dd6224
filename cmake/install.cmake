# SPDX-License-Identifier: BSD-3-Clause
include(CMakePackageConfigHelpers)

# Lists public headers of the current folder, paths relative to it.
function(xtape_public_headers)
  if(NOT XTAPE_INSTALL)
    return()
  endif()
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  foreach(header IN LISTS ARGN)
    cmake_path(GET header PARENT_PATH subfolder)
    cmake_path(APPEND CMAKE_INSTALL_INCLUDEDIR xtape "${folder}" "${subfolder}"
      OUTPUT_VARIABLE destination)
    install(FILES ${header} DESTINATION "${destination}")
  endforeach()
endfunction()

if(NOT XTAPE_INSTALL)
  return()
endif()

xtape_public_headers(xtape.hpp)
install(TARGETS xtape xtape_native EXPORT xtapeTargets)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/xtape")
install(EXPORT xtapeTargets NAMESPACE xtape:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/xtapeConfig.cmake.in "${PROJECT_BINARY_DIR}/xtapeConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/xtapeConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/xtapeConfig.cmake"
  "${PROJECT_BINARY_DIR}/xtapeConfigVersion.cmake" DESTINATION "${package_dir}")
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/FindXtapeBLAS.cmake cmake/FindXtapeOneDNN.cmake
    DESTINATION "${package_dir}")
endif()

# pkg-config: a static library needs its own libraries on every link line, a shared one on none.
set(pc_cflags "-I\${includedir}")
foreach(dependency xtensor xsimd xtl)
  if(TARGET ${dependency})
    get_target_property(directories ${dependency} INTERFACE_INCLUDE_DIRECTORIES)
    list(REMOVE_ITEM directories ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
    foreach(directory IN LISTS directories)
      string(APPEND pc_cflags " -I${directory}")
    endforeach()
  endif()
endforeach()
set(pc_libs_static "")
if(NOT BUILD_SHARED_LIBS)
  string(APPEND pc_cflags " -DXTAPE_STATIC")
  set(pc_libs_static "${XTAPE_BLAS_LIBRARY} -lz -lpthread")
  if(XTAPE_BLAS_RUNPATH)
    string(APPEND pc_libs_static " -Wl,-rpath,${XTAPE_BLAS_RUNPATH}")
  endif()
  if(XTAPE_OPENMP)
    string(APPEND pc_libs_static " ${OpenMP_CXX_FLAGS}")
  endif()
  if(TARGET xtape::onednn)
    string(APPEND pc_libs_static " ${XTAPE_ONEDNN_LIBRARY}")
  endif()
endif()
file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/xtape.pc.in "${PROJECT_BINARY_DIR}/xtape.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/xtape.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
