# chat_module(messages FILES messages.cpp … SQL messages.sql … USES chat::channels PRIVATE_USES dep::libpq)
# makes the static library chat_<name> (alias chat::<name>), warnings as errors, and for each X.sql the header
# "<folder>/X.sql.h" with one `Statement` per named statement in namespace chat::<name>::sql.
function(chat_warnings target)
  # -Wrestrict is wrong about std::string in optimised builds with GCC 12 (gcc.gnu.org PR 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-restrict -Werror)
endfunction()

function(chat_module name)
  cmake_parse_arguments(M "" "" "FILES;SQL;USES;PRIVATE_USES" ${ARGN})
  add_library(chat_${name} STATIC ${M_FILES})
  add_library(chat::${name} ALIAS chat_${name})
  chat_warnings(chat_${name})
  target_include_directories(chat_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(chat_${name} PUBLIC ${M_USES} PRIVATE ${M_PRIVATE_USES})
  foreach(sql ${M_SQL})
    chat_embed_sql(chat_${name} ${name} ${sql})
  endforeach()
endfunction()

# Also used alone, by targets that are not modules.
function(chat_embed_sql target namespace sql)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(header ${PROJECT_BINARY_DIR}/generated/${folder}/${sql}.h)
  add_custom_command(
    OUTPUT ${header}
    COMMAND embed_sql ${namespace} ${CMAKE_CURRENT_SOURCE_DIR}/${sql} ${header}
    DEPENDS embed_sql ${CMAKE_CURRENT_SOURCE_DIR}/${sql}
    COMMENT "Embedding ${folder}/${sql}")
  target_sources(${target} PRIVATE ${header})
endfunction()
