# The two builds of scripts/release: instrumented, and optimised with the profile that the instrumented server wrote.
# Link-time optimisation is ThinLTO: it inlines across files and archives, and uses all processors.
if(LATCHKEY_INSTRUMENT)
  add_compile_options(-fprofile-generate)
  add_link_options(-fprofile-generate)
elseif(LATCHKEY_PROFILE)
  if(NOT EXISTS ${LATCHKEY_PROFILE})
    message(FATAL_ERROR "LATCHKEY_PROFILE names no file: ${LATCHKEY_PROFILE} (scripts/release makes it)")
  endif()
  string(REGEX MATCH "^[0-9]+" clang_version ${CMAKE_CXX_COMPILER_VERSION})
  find_program(LATCHKEY_LLVM_AR llvm-ar-${clang_version} REQUIRED)
  find_program(LATCHKEY_LLVM_RANLIB llvm-ranlib-${clang_version} REQUIRED)
  find_program(LATCHKEY_LLD ld.lld-${clang_version} REQUIRED)
  set(CMAKE_AR ${LATCHKEY_LLVM_AR})
  set(CMAKE_RANLIB ${LATCHKEY_LLVM_RANLIB})
  # Code that the load did not reach has no profile, which is no mistake.
  add_compile_options(-flto=thin -fprofile-use=${LATCHKEY_PROFILE} -Wno-profile-instr-unprofiled
                      -Wno-profile-instr-out-of-date -Wno-backend-plugin)
  add_link_options(-flto=thin -fuse-ld=${LATCHKEY_LLD} -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto)
endif()
