import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import { embedded } from "./api/embedded";
import App from "./App.svelte";
import { preferences } from "./app/preferences.svelte";
import { router } from "./app/router.svelte";
import { parseRoute } from "./app/routing";

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
mount(App, { target: host });
