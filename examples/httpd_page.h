/* SPDX-License-Identifier: MIT */
/*
 * httpd_page.h - the page that a browser sees at /.
 */
#ifndef HTTPD_PAGE_H
#define HTTPD_PAGE_H

extern const char httpd_page[];

#endif
