import { messageOf } from "../../../base/mod.ts";
import { BrokerError } from "../errors.ts";

/**
 * Keeps a second broker off a data folder, through a lock of the operating system that ends with the process, however it ends.
 *
 * @param folder is made where there is none
 * @returns lets the folder go
 * @throws {BrokerError} `locked`, `not_writable`
 */
export function lockFolder(folder: string): () => void {
  const path = `${folder}/LOCK`;
  let file: Deno.FsFile;
  try {
    Deno.mkdirSync(folder, { recursive: true });
    file = Deno.openSync(path, { create: true, write: true, read: true });
  } catch (error) {
    throw new BrokerError(
      `Cannot use data folder ${JSON.stringify(folder)}: ${messageOf(error)}`,
      { code: "not_writable", cause: error },
    );
  }
  if (file.tryLockSync(true)) return () => file.close();
  file.close();
  throw new BrokerError(
    `Cannot use data folder ${JSON.stringify(folder)}: another broker is using it`,
    { code: "locked" },
  );
}
