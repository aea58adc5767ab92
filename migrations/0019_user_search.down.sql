drop function search_users(uuid, uuid, text, text, uuid, integer);
drop function words_of_user(text, text, text);
drop table user_words;
