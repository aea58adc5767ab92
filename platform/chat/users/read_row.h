#pragma once
#include "platform/chat/users/users.h"

/// Reading the columns that several statements of this folder share. Private to the folder.
namespace chat::users {

inline constexpr int kUserColumns = 17;
User read_user(const storage::Row& row, int at = 0);

}  // namespace chat::users
