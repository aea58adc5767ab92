alter index search_index_by_words set (gin_pending_list_limit = 1024);
