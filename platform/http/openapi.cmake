# The contract: openapi.yaml → JSON → chat::embedded::openapi_json (openapi.h).
add_executable(openapi_to_json ${PROJECT_SOURCE_DIR}/ops/dev/openapi_to_json.cpp)
chat_warnings(openapi_to_json)
target_link_libraries(openapi_to_json PRIVATE dep::yaml dep::rapidjson)
add_custom_command(
  OUTPUT openapi.json
  COMMAND openapi_to_json ${CMAKE_CURRENT_SOURCE_DIR}/openapi.yaml openapi.json
  DEPENDS openapi_to_json openapi.yaml)
add_custom_command(
  OUTPUT openapi_json.cpp
  COMMAND embed_text openapi_json openapi.json openapi_json.cpp
  DEPENDS embed_text ${CMAKE_CURRENT_BINARY_DIR}/openapi.json)
add_library(chat_openapi STATIC openapi_json.cpp)
add_library(chat::openapi ALIAS chat_openapi)
target_include_directories(chat_openapi INTERFACE ${PROJECT_SOURCE_DIR})
