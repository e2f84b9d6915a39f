# Swagger UI, the page that shows the API: an npm package, pinned by version and checksum. Its files are embedded
# in the program, plain and compressed, as the table embedded_docs() of handlers/openapi/swagger_ui.hpp. The build
# fetches it rather than the configuration, so that compilation does not wait for it.
set(swagger_ui_version 5.35.0)
set(swagger_ui_integrity
    sha512-U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==)
set(swagger_ui_files
  "swagger-ui.css=text/css" "swagger-ui-bundle.js=text/javascript" "favicon-32x32.png=image/png"
  "LICENSE=text/plain" "NOTICE=text/plain" "swagger-ui-bundle.js.LICENSE.txt=text/plain")
set(LATCHKEY_SWAGGER_UI "" CACHE FILEPATH
    "swagger-ui-dist-${swagger_ui_version}.tgz, to build without a network")

set(archive ${LATCHKEY_SWAGGER_UI})
if(NOT archive)
  # Shared by all checkouts and presets of a user.
  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(archive $ENV{XDG_CACHE_HOME}/latchkey/swagger-ui-dist-${swagger_ui_version}.tgz)
  elseif(NOT "$ENV{HOME}" STREQUAL "")
    set(archive $ENV{HOME}/.cache/latchkey/swagger-ui-dist-${swagger_ui_version}.tgz)
  else()
    set(archive ${CMAKE_BINARY_DIR}/swagger-ui-dist-${swagger_ui_version}.tgz)
  endif()
elseif(NOT EXISTS ${archive})
  message(FATAL_ERROR "LATCHKEY_SWAGGER_UI names no file: ${archive}")
endif()

set(docs_folder ${CMAKE_BINARY_DIR}/generated/swagger-ui-${swagger_ui_version})
file(MAKE_DIRECTORY ${docs_folder})
list(TRANSFORM swagger_ui_files REPLACE "(.*)=.*" "package/\\1" OUTPUT_VARIABLE plain)
add_custom_command(OUTPUT ${docs_folder}/unpacked
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/npm-package
          swagger-ui-dist ${swagger_ui_version} ${swagger_ui_integrity} ${archive}
          "without a network: cmake -DLATCHKEY_SWAGGER_UI=/path/to/swagger-ui-dist-${swagger_ui_version}.tgz"
  COMMAND ${CMAKE_COMMAND} -E tar xzf ${archive}
  COMMAND gzip -9 -n -k -f ${plain}
  COMMAND ${CMAKE_COMMAND} -E touch unpacked
  WORKING_DIRECTORY ${docs_folder}
  COMMENT "Unpacking Swagger UI ${swagger_ui_version}"
  VERBATIM)

set(symbols "")
set(declarations "")
set(rows "")
set(number 0)
foreach(file ${swagger_ui_files})
  string(REGEX REPLACE "=.*" "" name ${file})
  string(REGEX REPLACE ".*=" "" type ${file})
  set(of_file "")
  foreach(suffix "" ".gz")
    set(symbol latchkey_docs_${number})
    set(file_path ${docs_folder}/package/${name}${suffix})
    string(APPEND symbols "${symbol}:\\n.incbin \\\"${file_path}\\\"\\n${symbol}_end:\\n.byte 0\\n")
    string(APPEND declarations "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
    set(view "std::string_view(${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol}))")
    string(APPEND of_file ", ${view}")
    math(EXPR number "${number} + 1")
  endforeach()
  string(APPEND rows "        {\"${name}\", \"${type}\"${of_file}},\n")
endforeach()
set(generated ${CMAKE_BINARY_DIR}/generated/embedded_docs.cpp)
file(GENERATE OUTPUT ${generated} CONTENT
"#include \"handlers/openapi/swagger_ui.hpp\"

asm(\".pushsection .rodata\\n${symbols}.popsection\\n\");
${declarations}
namespace handlers {

std::span<const docs_file> embedded_docs()
{
    static const docs_file table[] = {
${rows}    };
    return table;
}

} // namespace handlers
")
set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS ${docs_folder}/unpacked)
target_sources(handlers PRIVATE ${generated})
