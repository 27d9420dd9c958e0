import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';

@ApiExcludeController()
@Controller('openapi.json')
export class OpenApiController {
  /** Made from the whole application, so set when that is there. */
  document: OpenAPIObject;

  @Get()
  getDocument(): OpenAPIObject {
    return this.document;
  }
}
