/** ELK's worker for a film saved as a file: its source comes with the page as data. (As a data URL it would be longer than browsers take.) */
const source = document.getElementById("retrograd-elk")?.textContent ?? "";

export default URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
