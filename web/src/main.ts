import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/touch.css";
import { mount } from "svelte";
import { embedded } from "./api/embedded";
import App from "./App.svelte";
import { connection } from "./app/connection.svelte";
import { preferences } from "./app/preferences.svelte";
import { router } from "./app/router.svelte";
import { parseRoute } from "./app/routing";
import { loaded } from "./i18n/catalogues";

preferences.show(); // before anything is drawn
if (embedded && !location.hash) {
  const { page, program } = embedded;
  const start = document.body.dataset.start; // the moment at which it was saved (share/files.ts)
  router.go({ page, program: page === "expression" ? program : null, view: start ? parseRoute(start).view : undefined });
  const { lang } = router.route.view;
  if (lang) preferences.lend(lang);
}
const host = document.getElementById("app");
if (!host) throw new Error('index.html has no element "app" to mount the page in.');
const target = host;

addEventListener("vite:preloadError", () => void connection.missed()); // wherever a part was asked for

/** The page is drawn when the words of its language are there. A browser asks once for a part: after a failure only a reload helps. */
async function start(): Promise<void> {
  await preferences.worded();
  if (loaded(preferences.lang)) mount(App, { target });
  else if (await connection.back(null, 2 ** 31 - 1)) location.reload();
}

void start();
