/** Bounds of the engine. */
export interface EngineLimits {
  /** Threads that one query may use, and merges in the background. */
  readonly threads: number;
  /** Memory of all queries together, in bytes. */
  readonly memoryBytes: number;
}

/** Rights of the one user. No right on a source (FILE, URL, S3, REMOTE, …), no BACKUP, no dictionaries, no users, no functions. */
const GRANTS = [
  "SHOW",
  "SELECT",
  "INSERT",
  "ALTER",
  "CREATE DATABASE",
  "CREATE TABLE",
  "CREATE VIEW",
  "CREATE TEMPORARY TABLE",
  "DROP",
  "UNDROP TABLE",
  "TRUNCATE",
  "OPTIMIZE",
  "CHECK",
  "KILL QUERY",
];

function elements(values: Readonly<Record<string, number | string>>): string {
  return Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`).join("\n");
}

/** Settings of the server; pools small enough for a machine with two cores that it shares with the load. */
export function serverXml(usersPath: string, limits: EngineLimits): string {
  const freeEntries = elements({
    number_of_free_entries_in_pool_to_execute_mutation: 1,
    number_of_free_entries_in_pool_to_lower_max_size_of_merge: 1,
    number_of_free_entries_in_pool_to_execute_optimize_entire_partition: 1,
  });
  const values = elements({
    users_config: usersPath,
    max_server_memory_usage: limits.memoryBytes,
    mark_cache_size: 64 << 20,
    uncompressed_cache_size: 0,
    background_pool_size: 2,
    background_merges_mutations_concurrency_ratio: Math.max(1, limits.threads),
    background_fetches_pool_size: 1,
    background_move_pool_size: 1,
    background_common_pool_size: 2,
    background_schedule_pool_size: 4,
    background_buffer_flush_schedule_pool_size: 1,
    background_message_broker_schedule_pool_size: 1,
    background_distributed_schedule_pool_size: 1,
  });
  return `<clickhouse>\n${values}\n<merge_tree>\n${freeEntries}\n</merge_tree>\n</clickhouse>\n`;
}

/** The one user, its rights, and what a request may not change. */
export function usersXml(limits: EngineLimits): string {
  return `<clickhouse>
<profiles><default>
<max_threads>${limits.threads}</max_threads>
<max_insert_threads>1</max_insert_threads>
<async_insert>0</async_insert>
<constraints>
<max_threads><max>${limits.threads}</max></max_threads>
<max_insert_threads><max>${limits.threads}</max></max_insert_threads>
<allow_introspection_functions><const/></allow_introspection_functions>
<format_schema_source><const/></format_schema_source>
<merge_tree_disk><const/></merge_tree_disk>
<merge_tree_storage_policy><const/></merge_tree_storage_policy>
</constraints>
</default></profiles>
<users><default>
<password></password>
<networks><ip>::/0</ip></networks>
<profile>default</profile>
<quota>default</quota>
<grants><query>GRANT ${GRANTS.join(", ")} ON *.*</query></grants>
</default></users>
<quotas><default></default></quotas>
</clickhouse>
`;
}
