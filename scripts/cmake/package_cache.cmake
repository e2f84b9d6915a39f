# package_cache: the folder of fetched npm packages, shared by all checkouts and presets of a user.
include_guard()
if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(package_cache $ENV{XDG_CACHE_HOME}/latchkey)
elseif(NOT "$ENV{HOME}" STREQUAL "")
  set(package_cache $ENV{HOME}/.cache/latchkey)
else()
  set(package_cache ${CMAKE_BINARY_DIR})
endif()
