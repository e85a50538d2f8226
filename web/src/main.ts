import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import { embedded } from "./api/embedded";
import App from "./App.svelte";
import { preferences } from "./app/preferences.svelte";
import { router } from "./app/router.svelte";

preferences.show(); // before anything is drawn
if (embedded && !location.hash) {
  const { page, program } = embedded;
  router.go({ page, program: page === "expression" ? program : null });
}
const host = document.getElementById("app");
if (!host) throw new Error('index.html has no element "app" to mount the page in.');
mount(App, { target: host });
