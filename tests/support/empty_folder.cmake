# cmake -P empty_folder.cmake FOLDER: replace it by an empty folder.
file(REMOVE_RECURSE ${CMAKE_ARGV3})
file(MAKE_DIRECTORY ${CMAKE_ARGV3})
