/** The page /docs: the API's own description, drawn by Swagger UI, which comes with the page. */
import "swagger-ui-dist/swagger-ui.css";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUI({ dom_id: "#docs", url: "api/v1/openapi.json", deepLinking: true, validatorUrl: null, defaultModelsExpandDepth: 0 });
