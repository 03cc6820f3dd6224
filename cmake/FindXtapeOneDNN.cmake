# SPDX-License-Identifier: BSD-3-Clause
# oneDNN: target xtape::onednn. Not by its own package file, which asks for OpenCL headers even
# where only the processor is used.

find_library(XTAPE_ONEDNN_LIBRARY NAMES dnnl)
find_path(XTAPE_ONEDNN_INCLUDE_DIR NAMES dnnl.hpp)
mark_as_advanced(XTAPE_ONEDNN_LIBRARY XTAPE_ONEDNN_INCLUDE_DIR)

set(XtapeOneDNN_VERSION "")
foreach(header oneapi/dnnl/dnnl_version.h dnnl_version.h)
  if(XTAPE_ONEDNN_INCLUDE_DIR AND EXISTS "${XTAPE_ONEDNN_INCLUDE_DIR}/${header}")
    file(STRINGS "${XTAPE_ONEDNN_INCLUDE_DIR}/${header}" lines REGEX "DNNL_VERSION_[MP][AI]")
    string(REGEX REPLACE ".*MAJOR +([0-9]+).*" "\\1" major "${lines}")
    string(REGEX REPLACE ".*MINOR +([0-9]+).*" "\\1" minor "${lines}")
    string(REGEX REPLACE ".*PATCH +([0-9]+).*" "\\1" patch "${lines}")
    if(lines)
      set(XtapeOneDNN_VERSION "${major}.${minor}.${patch}")
      break()
    endif()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XtapeOneDNN
  REQUIRED_VARS XTAPE_ONEDNN_LIBRARY XTAPE_ONEDNN_INCLUDE_DIR VERSION_VAR XtapeOneDNN_VERSION)

if(XtapeOneDNN_FOUND AND NOT TARGET xtape::onednn)
  add_library(xtape::onednn UNKNOWN IMPORTED)
  set_target_properties(xtape::onednn PROPERTIES
    IMPORTED_LOCATION "${XTAPE_ONEDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${XTAPE_ONEDNN_INCLUDE_DIR}")
endif()
