# Files that the program serves, embedded in it: plain, and compressed with brotli and gzip by the build.
#
#   embed_files(PREFIX docs/ FOLDER /path [DEPENDS stamp] FILES page.js lib/module.js ...)
#   write_embedded_files(TARGET)
#
# embed_files() adds FOLDER/page.js as `docs/page.js`. A file that the build makes is in FOLDER after DEPENDS.
# write_embedded_files() adds the table embedded_files() of handlers/static_files/embedded.hpp, with the files of all
# calls, to the sources of TARGET. The content type follows from the end of the name.
find_program(BROTLI brotli)
find_program(GZIP gzip)
if(NOT BROTLI OR NOT GZIP)
  message(FATAL_ERROR "brotli and gzip are needed to compress the files that the server embeds: "
                      "apt-get install brotli gzip")
endif()

set(embedded_folder ${CMAKE_BINARY_DIR}/generated/static_files)
set_property(GLOBAL PROPERTY embedded_names "")
set_property(GLOBAL PROPERTY embedded_sources "")
set_property(GLOBAL PROPERTY embedded_outputs "")

function(content_type_of name out)
  set(types "js=text/javascript" "mjs=text/javascript" "css=text/css" "html=text/html" "json=application/json"
            "svg=image/svg+xml" "png=image/png" "webp=image/webp" "woff2=font/woff2" "txt=text/plain")
  get_filename_component(suffix ${name} LAST_EXT)
  set(${out} text/plain PARENT_SCOPE)
  foreach(type ${types})
    string(REGEX REPLACE "=.*" "" ending ${type})
    if(suffix STREQUAL ".${ending}")
      string(REGEX REPLACE ".*=" "" type ${type})
      set(${out} ${type} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

function(embed_files)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "PREFIX;FOLDER" "DEPENDS;FILES")
  foreach(file ${arg_FILES})
    set(name ${arg_PREFIX}${file})
    set(source ${arg_FOLDER}/${file})
    set(compressed ${embedded_folder}/${name})
    get_filename_component(folder ${compressed} DIRECTORY)
    if(arg_DEPENDS)
      set(depends ${arg_DEPENDS})
    else()
      set(depends ${source})
    endif()
    add_custom_command(OUTPUT ${compressed}.br ${compressed}.gz
      COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
      COMMAND ${BROTLI} --best --force --no-copy-stat --output=${compressed}.br ${source}
      COMMAND ${GZIP} -9 -n -c ${source} > ${compressed}.gz
      DEPENDS ${depends}
      COMMENT "Compressing ${name}"
      VERBATIM)
    set_property(GLOBAL APPEND PROPERTY embedded_names ${name})
    set_property(GLOBAL APPEND PROPERTY embedded_sources ${source})
    set_property(GLOBAL APPEND PROPERTY embedded_outputs ${compressed}.br ${compressed}.gz ${depends})
  endforeach()
endfunction()

function(write_embedded_files target)
  get_property(names GLOBAL PROPERTY embedded_names)
  get_property(sources GLOBAL PROPERTY embedded_sources)
  get_property(outputs GLOBAL PROPERTY embedded_outputs)
  set(symbols "")
  set(declarations "")
  set(rows "")
  set(number 0)
  foreach(name source IN ZIP_LISTS names sources)
    set(views "")
    foreach(path ${source} ${embedded_folder}/${name}.br ${embedded_folder}/${name}.gz)
      set(symbol latchkey_file_${number})
      string(APPEND symbols "${symbol}:\\n.incbin \\\"${path}\\\"\\n${symbol}_end:\\n.byte 0\\n")
      string(APPEND declarations "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
      string(APPEND views ", std::string_view(${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol}))")
      math(EXPR number "${number} + 1")
    endforeach()
    content_type_of(${name} type)
    string(APPEND rows "        {\"${name}\", \"${type}\"${views}},\n")
  endforeach()
  set(generated ${CMAKE_BINARY_DIR}/generated/embedded_files.cpp)
  file(GENERATE OUTPUT ${generated} CONTENT
"#include \"handlers/static_files/embedded.hpp\"

asm(\".pushsection .rodata\\n${symbols}.popsection\\n\");
${declarations}
namespace handlers {

std::span<const embedded_file> embedded_files()
{
    static const embedded_file table[] = {
${rows}    };
    return table;
}

} // namespace handlers
")
  set_source_files_properties(${generated} PROPERTIES OBJECT_DEPENDS "${outputs};${sources}")
  target_sources(${target} PRIVATE ${generated})
endfunction()
