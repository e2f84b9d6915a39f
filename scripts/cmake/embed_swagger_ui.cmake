# The page that shows the API's document is Swagger UI, taken from the npm registry at this version and checksum. Its files
# travel inside the program, plain and compressed: the table of embedded_docs that handlers/openapi/swagger_ui.hpp declares.
set(swagger_ui_version 5.35.0)
set(swagger_ui_sum 534eaba4cb56f55dd73c638179a993512af4674f63317e0826e00da44fc465b021c341bc0a0c2bcd4e18997927fe1d3008336c5dd19aad334d1c2dec53cc9551)
set(swagger_ui_files
  "swagger-ui.css=text/css" "swagger-ui-bundle.js=text/javascript" "favicon-32x32.png=image/png" "LICENSE=text/plain"
  "NOTICE=text/plain" "swagger-ui-bundle.js.LICENSE.txt=text/plain")
set(LATCHKEY_SWAGGER_UI "" CACHE FILEPATH "swagger-ui-dist-${swagger_ui_version}.tgz, to build without the network")

set(archive ${LATCHKEY_SWAGGER_UI})
if(NOT archive)
  # Shared by all checkouts and presets of a user.
  if(DEFINED ENV{XDG_CACHE_HOME})
    set(archive $ENV{XDG_CACHE_HOME}/latchkey/swagger-ui-dist-${swagger_ui_version}.tgz)
  elseif(DEFINED ENV{HOME})
    set(archive $ENV{HOME}/.cache/latchkey/swagger-ui-dist-${swagger_ui_version}.tgz)
  else()
    set(archive ${CMAKE_BINARY_DIR}/swagger-ui-dist-${swagger_ui_version}.tgz)
  endif()
  if(NOT EXISTS ${archive})
    message(STATUS "Fetching Swagger UI ${swagger_ui_version}")
    string(RANDOM LENGTH 12 mark)
    file(DOWNLOAD https://registry.npmjs.org/swagger-ui-dist/-/swagger-ui-dist-${swagger_ui_version}.tgz
         ${archive}.${mark} STATUS fetched TLS_VERIFY ON TIMEOUT 120)
    list(POP_FRONT fetched code)
    if(code)
      file(REMOVE ${archive}.${mark})
      message(FATAL_ERROR "Swagger UI could not be fetched (${fetched}). Without the network, say where it is: "
                          "-DLATCHKEY_SWAGGER_UI=/path/to/swagger-ui-dist-${swagger_ui_version}.tgz")
    endif()
    file(RENAME ${archive}.${mark} ${archive})
  endif()
endif()
file(SHA512 ${archive} found_sum)
if(NOT found_sum STREQUAL swagger_ui_sum)
  message(FATAL_ERROR "${archive} is not what it was: wrong checksum")
endif()

set(docs_folder ${CMAKE_BINARY_DIR}/generated/docs)
if(NOT EXISTS ${docs_folder}/${swagger_ui_version})
  file(REMOVE_RECURSE ${docs_folder})
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${docs_folder})
  foreach(file ${swagger_ui_files})
    string(REGEX REPLACE "=.*" "" name ${file})
    execute_process(COMMAND gzip -9 -n -c ${docs_folder}/package/${name} OUTPUT_FILE ${docs_folder}/package/${name}.gz
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(TOUCH ${docs_folder}/${swagger_ui_version})
endif()

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
    string(APPEND symbols "${symbol}:\\n.incbin \\\"${docs_folder}/package/${name}${suffix}\\\"\\n${symbol}_end:\\n.byte 0\\n")
    string(APPEND declarations "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
    string(APPEND of_file ", std::string_view(${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol}))")
    list(APPEND embedded ${docs_folder}/package/${name}${suffix})
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
set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS "${embedded}")
target_sources(handlers PRIVATE ${generated})
