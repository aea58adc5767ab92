drop function analyze_grown_table();
