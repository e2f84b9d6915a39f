// The pages that links in mails lead to: each asks for a click, and only the click does something.
#pragma once

#include "handlers/http/endpoint.hpp"

namespace handlers::pages {

/** A page reads its token in the browser, takes it out of the address, and sends it by POST when its button
   is pressed: what opens links without being asked spends nothing. Nothing of a request is written into it.
 */
reply verify(call& c);
reply reset(call& c);
reply change_email(call& c);
reply invite(call& c);
reply unsubscribe(call& c);
reply claim(call& c);

} // namespace handlers::pages
