# cmake -P empty_folder.cmake FOLDER: make it anew, with nothing in it.
file(REMOVE_RECURSE ${CMAKE_ARGV3})
file(MAKE_DIRECTORY ${CMAKE_ARGV3})
