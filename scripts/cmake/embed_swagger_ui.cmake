# Swagger UI, the page that shows the API: an npm package, pinned by version and checksum. Its files are embedded below
# `docs/`. The build fetches it rather than the configuration, so that compilation does not wait for it.
set(swagger_ui_version 5.35.0)
set(swagger_ui_integrity
    sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==)
set(swagger_ui_files swagger-ui.css swagger-ui-bundle.js LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt)
set(LATCHKEY_SWAGGER_UI "" CACHE FILEPATH
    "swagger-ui-dist-${swagger_ui_version}.tgz, to build without a network")

include(${CMAKE_CURRENT_LIST_DIR}/package_cache.cmake)
set(archive ${LATCHKEY_SWAGGER_UI})
if(NOT archive)
  set(archive ${package_cache}/swagger-ui-dist-${swagger_ui_version}.tgz)
elseif(NOT EXISTS ${archive})
  message(FATAL_ERROR "LATCHKEY_SWAGGER_UI names no file: ${archive}")
endif()

set(docs_folder ${CMAKE_BINARY_DIR}/generated/swagger-ui-${swagger_ui_version})
file(MAKE_DIRECTORY ${docs_folder})
list(TRANSFORM swagger_ui_files PREPEND ${docs_folder}/package/ OUTPUT_VARIABLE unpacked)
add_custom_command(OUTPUT ${docs_folder}/unpacked BYPRODUCTS ${unpacked}
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/npm-package
          swagger-ui-dist ${swagger_ui_version} ${swagger_ui_integrity} ${archive}
          "without a network: cmake -DLATCHKEY_SWAGGER_UI=/path/to/swagger-ui-dist-${swagger_ui_version}.tgz"
  COMMAND ${CMAKE_COMMAND} -E tar xzf ${archive}
  COMMAND ${CMAKE_COMMAND} -E touch unpacked
  WORKING_DIRECTORY ${docs_folder}
  COMMENT "Unpacking Swagger UI ${swagger_ui_version}"
  VERBATIM)

embed_files(PREFIX docs/ FOLDER ${docs_folder}/package DEPENDS ${docs_folder}/unpacked FILES ${swagger_ui_files})
embed_files(PREFIX docs/ FOLDER ${CMAKE_SOURCE_DIR}/handlers/openapi FILES start.js docs.css)
