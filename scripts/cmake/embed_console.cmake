# The console: its sources as they are, below `console/`, and the libraries that they import, below `console/vendor/`.
# These are npm packages, pinned by version and checksum, and fetched by the build. There is no bundler.
include(${CMAKE_CURRENT_LIST_DIR}/package_cache.cmake)
set(LATCHKEY_CONSOLE_PACKAGES ${package_cache} CACHE PATH
    "Folder with the packages of the console (NAME-VERSION.tgz), to build without a network")

# NAME VERSION INTEGRITY, and FILE=OUTPUT for each file that is used.
set(console_packages
  "preact 10.29.8 sha512-ej2aVZ+vZ8WO7tvlQWRM9N63A0KzF9q4mWJfDUHgYaIofWY9hu74QdnQrjoPMmZi2/nZ5gN0bJCQF49xQqx09Q== \
dist/preact.module.js=preact.js hooks/dist/hooks.module.js=hooks.js LICENSE=preact.LICENSE.txt"
  "htm 3.1.1 sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ== \
dist/htm.module.js=htm.js LICENSE=htm.LICENSE.txt")

set(vendor_folder ${CMAKE_BINARY_DIR}/generated/console/vendor)
foreach(package ${console_packages})
  separate_arguments(package)
  list(POP_FRONT package name version integrity)
  set(folder ${CMAKE_BINARY_DIR}/generated/console/${name}-${version})
  file(MAKE_DIRECTORY ${folder} ${vendor_folder})
  set(archive ${LATCHKEY_CONSOLE_PACKAGES}/${name}-${version}.tgz)
  set(outputs "")
  set(rewrites "")
  foreach(file ${package})
    string(REGEX REPLACE "=.*" "" source ${file})
    string(REGEX REPLACE ".*=" "" output ${file})
    list(APPEND outputs ${output})
    # A browser resolves relative names only. The source maps are not embedded.
    list(APPEND rewrites
      COMMAND sed -e "s|from\"preact\"|from\"./preact.js\"|g" -e "/^..# sourceMappingURL=/d"
              ${folder}/package/${source} > ${vendor_folder}/${output})
  endforeach()
  list(TRANSFORM outputs PREPEND ${vendor_folder}/ OUTPUT_VARIABLE paths)
  add_custom_command(OUTPUT ${folder}/unpacked BYPRODUCTS ${paths}
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/npm-package ${name} ${version} ${integrity} ${archive}
            "without a network: cmake -DLATCHKEY_CONSOLE_PACKAGES=FOLDER, or -DLATCHKEY_CONSOLE=OFF"
    COMMAND ${CMAKE_COMMAND} -E tar xzf ${archive}
    ${rewrites}
    COMMAND ${CMAKE_COMMAND} -E touch unpacked
    WORKING_DIRECTORY ${folder}
    COMMENT "Unpacking ${name} ${version}"
    VERBATIM)
  embed_files(PREFIX console/vendor/ FOLDER ${vendor_folder} DEPENDS ${folder}/unpacked FILES ${outputs})
endforeach()

file(GLOB_RECURSE console_files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/handlers/console
     ${CMAKE_SOURCE_DIR}/handlers/console/*.js ${CMAKE_SOURCE_DIR}/handlers/console/*.css
     ${CMAKE_SOURCE_DIR}/handlers/console/*.json)
list(SORT console_files)
embed_files(PREFIX console/ FOLDER ${CMAKE_SOURCE_DIR}/handlers/console FILES ${console_files})
