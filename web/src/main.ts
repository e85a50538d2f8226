import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { preferences } from "./app/preferences.svelte";

preferences.show(); // before anything is drawn
const host = document.getElementById("app");
if (!host) throw new Error('index.html has no element "app" to mount the page in.');
mount(App, { target: host });
