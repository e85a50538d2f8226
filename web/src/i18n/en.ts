/** The English of the first page: what it says before anything is opened, and with it. */
import app from "./app.en";
import notation from "./notation.en";
import problem from "./problem.en";
import share from "./share.en";
import stage from "./stage.en";
import state from "./state.en";
import whatif from "./whatif.en";

export default { ...app, ...notation, ...problem, ...share, ...stage, ...state, ...whatif };
