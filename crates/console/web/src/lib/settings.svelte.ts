// What somebody has chosen for this browser.

export type Language = "en" | "de";
export type Theme = "system" | "light" | "dark";

const kept = (key: string): string | null => localStorage.getItem(`ringdown.${key}`);

class Settings {
  language = $state<Language>(kept("language") === "de" || (!kept("language") && navigator.language.startsWith("de")) ? "de" : "en");
  theme = $state<Theme>((kept("theme") as Theme | null) ?? "system");
  /** The user whose phone rings for a supervisor. */
  phone = $state(kept("phone") ?? "");

  /** Keeps what is chosen, and shows it. */
  apply(): void {
    for (const key of ["language", "theme", "phone"] as const) localStorage.setItem(`ringdown.${key}`, this[key]);
    document.documentElement.lang = this.language;
    document.documentElement.dataset["theme"] = this.theme;
  }
}

export const settings = new Settings();
