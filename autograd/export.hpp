// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// XTAPE_STATIC is defined by the target for users of the static library.
#if defined(XTAPE_STATIC)
#define XTAPE_API
#elif defined(_WIN32)
#if defined(XTAPE_BUILDING)
#define XTAPE_API __declspec(dllexport)
#else
#define XTAPE_API __declspec(dllimport)
#endif
#else
#define XTAPE_API __attribute__((visibility("default")))
#endif
