# SPDX-License-Identifier: BSD-3-Clause
# Fails when <xtape/xtape.hpp> pulls in a header that every user would pay for: array libraries
# (<xtape/autograd/xtensor.hpp> and pointwise.hpp bring those) and the slow ones of the standard
# library.
set(heavy
  xtensor xtensor-blas xtl xsimd xflens Random123 nlohmann cblas openblas_config dnnl oneapi omp.h
  algorithm filesystem functional iostream map memory unordered_map variant)

set(source "#include <xtape/xtape.hpp>\n")
string(RANDOM LENGTH 8 suffix)
if(DEFINED ENV{TMPDIR})
  set(file "$ENV{TMPDIR}/xtape_headers_${suffix}.cpp")
else()
  set(file "/tmp/xtape_headers_${suffix}.cpp")
endif()
file(WRITE "${file}" "${source}")
execute_process(COMMAND "${compiler}" -std=c++20 -M "-I${include_dir}" "${file}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
file(REMOVE "${file}")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "<xtape/xtape.hpp> does not compile on its own:\n${errors}")
endif()

string(REGEX REPLACE "[ \\\n]+" ";" files "${output}")
set(found "")
foreach(path IN LISTS files)
  foreach(name IN LISTS heavy)
    if(path MATCHES "/${name}(\\.h|\\.hpp)?(/|$)" AND NOT path MATCHES "/include/xtape/")
      list(APPEND found "${path}")
    endif()
  endforeach()
endforeach()
if(found)
  list(JOIN found "\n  " found)
  message(FATAL_ERROR "<xtape/xtape.hpp> pulls in\n  ${found}\nFind the way by g++ -H.")
endif()
list(LENGTH files count)
message("<xtape/xtape.hpp> pulls in ${count} files, none of them heavy")
