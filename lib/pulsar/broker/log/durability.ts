/**
 * When a receipt goes out: `os`, when the operating system has the bytes (survives kill -9 of the broker); `fsync`, when they are on the
 * disk (survives power loss).
 */
export type Durability = "os" | "fsync";
