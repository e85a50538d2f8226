/** ELK's worker for a film saved as a file: its source comes with the page. (As a data URL it would be longer than browsers take.) */
import source from "elkjs/lib/elk-worker.min.js?raw";

export default URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
