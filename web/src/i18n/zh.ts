/** The Chinese of the first page: what it says before anything is opened, and with it. */
import app from "./app.zh";
import notation from "./notation.zh";
import problem from "./problem.zh";
import share from "./share.zh";
import stage from "./stage.zh";
import state from "./state.zh";
import whatif from "./whatif.zh";

export default { ...app, ...notation, ...problem, ...share, ...stage, ...state, ...whatif };
