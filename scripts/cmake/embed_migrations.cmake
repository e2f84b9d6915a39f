# Embeds db/migrations/*.sql as the table embedded_migrations() of db/migrations/migrations.hpp.
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/db/migrations/*.sql)
list(SORT migration_files)
set(rows "")
foreach(path ${migration_files})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  string(APPEND rows "    {\"${name}\", R\"latchkey_sql(${text})latchkey_sql\"},\n")
endforeach()
set(generated ${CMAKE_BINARY_DIR}/generated/embedded_migrations.cpp)
file(GENERATE OUTPUT ${generated} CONTENT
"#include \"db/migrations/migrations.hpp\"

namespace db {

static constexpr migration table[] = {
${rows}};

std::span<const migration> embedded_migrations() { return table; }

} // namespace db
")
target_sources(db PRIVATE ${generated})
