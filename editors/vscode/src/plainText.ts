// Texts of notifications.

/**
 * Notifications show `[words](address)` as links, and a link may run a command. Names of processes and labels come from
 * the container and the repository, so no text of theirs may become one.
 */
export function plainText(text: string): string {
  return text.replaceAll('](', ']\u200B('); // an invisible character between the two
}
